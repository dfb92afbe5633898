"""`review`: what verdicts and corrections do to a label."""

from typing import ClassVar, Literal

from auxseg.params.section import Section


class ReviewParams(Section):
    """What the verdicts in review/verdicts.csv and the corrections in review/corrections do to the labels."""

    key: ClassVar[str] = "review"

    rejected: Literal["leave_out", "ignore"] = "leave_out"
    """leave_out: a rejected image is not trained on. ignore: it trains the classification branch only, and all of its
    pixels are ignored."""
    corrections: Literal["for_good", "own_round"] = "for_good"
    """A label corrected by hand replaces that of every round from its own on (for_good), or only that of its own
    round."""
