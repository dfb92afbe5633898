"""`review`: what a reviewer's verdict does to a label."""

from typing import ClassVar, Literal

from auxseg.params.section import Section


class ReviewParams(Section):
    """What the verdicts in review/verdicts.csv do to the labels of their round."""

    key: ClassVar[str] = "review"

    rejected: Literal["leave_out", "ignore"] = "leave_out"
    """leave_out: a rejected image is not trained on. ignore: it trains the classification branch only, and all of its
    pixels are ignored."""
