"""`review`: what verdicts and corrections do to a label."""

from typing import ClassVar, Literal

from auxseg.params.section import Section


class ReviewParams(Section):
    """Applied to review/verdicts.csv and review/corrections."""

    key: ClassVar[str] = "review"

    rejected: Literal["leave_out", "ignore"] = "leave_out"
    """A rejected image is left out of training, or kept for classification with every pixel ignored."""
    corrections: Literal["for_good", "own_round"] = "for_good"
    """A label corrected by hand replaces that of every round from its own on, or that of its own round only."""
