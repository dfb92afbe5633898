"""`audit`: the report."""

from typing import ClassVar

from pydantic import Field

from auxseg.params.section import Section


class AuditParams(Section):
    """What the report shows."""

    key: ClassVar[str] = "audit"

    images: int = Field(100, ge=1)
    """Images shown a round, spread evenly over the ids."""
