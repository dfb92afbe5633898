"""`guard`: what becomes of a round that is clearly worse than the best one before it, judged without masks."""

from typing import ClassVar, Literal

from auxseg.params.section import Section


class GuardParams(Section):
    """The guard against bad rounds (docs/own-data.md)."""

    key: ClassVar[str] = "guard"

    action: Literal["warn", "stop"] = "warn"
    """warn: say so in log, table and report, and go on. stop: train no further round."""
