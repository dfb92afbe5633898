"""`guard`: what to do about a round that is clearly worse than the best one before it, as judged without masks."""

from typing import ClassVar, Literal

from auxseg.params.section import Section


class GuardParams(Section):
    """The guard against bad rounds (docs/own-data.md)."""

    key: ClassVar[str] = "guard"

    action: Literal["warn", "stop"] = "warn"
    """warn: say so in log, table and report, and continue. stop: train no further round."""
