"""`audit`: the report."""

from typing import ClassVar

from pydantic import Field

from auxseg.params.section import Section


class AuditParams(Section):
    """What the report shows."""

    key: ClassVar[str] = "audit"

    images: int | None = Field(None, ge=1)
    """Images shown per split, spread evenly over the ids; null: all."""
    photo_side: int = Field(512, ge=64)
    """Longer side, in pixels, to which the report reduces its copies of the images. Labels keep every pixel."""
