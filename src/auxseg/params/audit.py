"""`audit`: the report."""

from typing import ClassVar

from pydantic import Field

from auxseg.params.section import MOST_IMAGES, MOST_PIXELS, Section


class AuditParams(Section):
    """What the report shows."""

    key: ClassVar[str] = "audit"

    images: int | None = Field(None, ge=1, le=MOST_IMAGES)
    """Images shown per split, spread evenly over the ids; null: all."""
    photo_side: int = Field(512, ge=64, le=MOST_PIXELS)
    """Longer side, in pixels, to which the report reduces its copies of the images. Labels keep every pixel."""
