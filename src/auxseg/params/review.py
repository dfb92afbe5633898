"""`review`: what a reviewer's verdict does to a label."""

from typing import ClassVar, Literal

from auxseg.params.section import Section


class ReviewParams(Section):
    """Applied to the rows of review/verdicts.csv of the same round."""

    key: ClassVar[str] = "review"

    rejected: Literal["leave_out", "ignore"] = "leave_out"
    """A rejected image is left out of training, or kept for classification with every pixel ignored."""
