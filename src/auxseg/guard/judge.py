"""Decide whether a round is clearly worse than the best one before it, by figures that need no mask.

A rule looks at one figure. It says "clearly worse" only far outside the range of sound rounds: it accepts all rounds of
benchmarks/own_data.csv and detects the collapse that docs/own-data.md describes. It does not detect a round that loses
a point or two of mIoU, because without masks such a round cannot be distinguished from one that gains as much.
"""

from collections.abc import Mapping
from typing import NamedTuple

from auxseg.artifacts.rounds import R0, Round
from auxseg.guard.figures import NUMBERS
from auxseg.guard.record import Judgement

Figures = Mapping[str, float | None]


class Rule(NamedTuple):
    """One way to be clearly worse: the figure rises by more than `rise` and exceeds `floor`, or falls below `remains`
    times its earlier value, or rises above `times` times that value."""

    figure: str
    sentence: str
    """The reason; {now} and {before} are values, shares in per cent."""
    rise: float = 0.0
    floor: float = 0.0
    remains: float | None = None
    times: float | None = None

    def broken(self, now: float, before: float) -> bool:
        """Return whether the value `now` is clearly worse than `before` (0 if the reference has no value)."""
        if self.remains is not None:
            return now < self.remains * before
        if self.times is not None:
            return now > self.times * before
        return now > before + self.rise and now > self.floor


RULES = (
    Rule("ignored", "{now} of the pixels are ignored ({before} before)", rise=0.25),
    Rule("background", "{now} of the pixels are background ({before} before)", remains=0.33),
    Rule("without_background", "{now} of the labels have no background pixel ({before} before)", rise=0.25),
    Rule("all_ignored", "{now} of the labels are ignored everywhere ({before} before)", rise=0.1),
    Rule("lost", "{now} of the image-level labels have no pixel in their label ({before} before)", rise=0.15),
    Rule("constant", "the network predicts one class everywhere in {now} of the images", rise=0.3, floor=0.5),
    Rule("unseen", "{now} of the image-level labels are not in the network's prediction", rise=0.3, floor=0.5),
    Rule("confidence", "the network's confidence is {now} ({before} before)", remains=0.6),
    Rule("tag_precision", "its average precision of image-level labels is {now} ({before} before)", remains=0.8),
    Rule("loss", "the training ended with a loss of {now} ({before} before)", times=1.5),
)

NETWORK = ("constant", "unseen")
"""Figures that r0 does not have."""
OF_TAGS = ("tag_precision", "val_tag_precision")
"""Figures that do not depend on labels."""
MORE_IS_BETTER = ("expected_iou", "background", "confidence", *OF_TAGS)
LESS_IS_BETTER = (
    "ignored",
    "without_background",
    "all_ignored",
    "lost",
    "disagreement",
    "constant",
    "unseen",
    "prediction_differs",
    "loss",
)
"""The other figures (`components`, `change`, `entropy`) rise and fall in sound rounds, and in collapsed ones too."""
SLIP = 0.01
"""The smallest change of a share that is mentioned; of the loss, in proportion to its value before."""

LONGER = (
    "Train longer: in params.yaml `train.steps: N` (and `train.epochs: null`), twice the steps that the log of the "
    "stage train names."
)
SLOWER = "Lower the learning rate: `train.optimiser.lr`, a third of what it is."
TAKE_BEST = "The labels of {best} are the last good ones: `auxseg export labels --round {best} --to FOLDER`."
LOOK = "Look at the CAMs and the saliency of r0 in the report."
BETTER_CAMS = (
    "Where the CAMs miss objects, train the classifier longer (`classify.steps`), add images of the classes that are "
    "missing, or lower `labels.cam_threshold`; where the saliency does, try another `saliency.provider`."
)
MORE_BACKGROUND = "Raise `labels.saliency_threshold`, or try another `saliency.provider`."

POOR_START = {
    "all_ignored": (0.25, "{now} of the initial labels are ignored everywhere", BETTER_CAMS),
    "without_background": (0.5, "{now} of the initial labels have no background pixel", MORE_BACKGROUND),
    "lost": (0.4, "{now} of the image-level labels have no pixel in their initial label", BETTER_CAMS),
}
"""Figure of r0, which has no earlier round: the largest value without a warning, the reason, what to try."""


def judge_start(figures: Figures, *, comparable: bool = True) -> Judgement:
    """Judge the initial labels.

    Args:
        figures: of r0.
        comparable: False if another method made these labels. Fusion may ignore pixels where that method does not, so
            later rounds are then compared with the first round that fusion made, except in how well they find tags.
    """
    found = {name: row for name, row in POOR_START.items() if (figures[name] or 0) > row[0]}
    reasons = [sentence.format(now=_shown(name, figures[name])) for name, (_, sentence, _) in found.items()]
    advice = (LOOK, *dict.fromkeys(advice for _, _, advice in found.values())) if found else ()
    reference = {name: value if comparable or name in OF_TAGS else None for name, value in figures.items()}
    name = str(R0)
    return Judgement(name, name, not found, name, tuple(reasons), advice, dict(figures), reference)


def judge(name: str, figures: Figures, before: Judgement) -> Judgement:
    """Judge a round.

    Args:
        name: the round.
        figures: of this round.
        before: the judgement of the round before.
    """
    best, reference = before.best, _reference(before)
    reasons = []
    for rule in RULES:
        now, was = figures.get(rule.figure), reference.get(rule.figure)
        if was is None and rule.figure in NETWORK:
            was = 0.0  # r0 has no network
        if now is not None and was is not None and rule.broken(now, was):
            reasons.append(rule.sentence.format(now=_shown(rule.figure, now), before=_shown(rule.figure, was)))
    good = not reasons
    advice = () if good else (LONGER, SLOWER, TAKE_BEST.format(best=best))
    return Judgement(name, best, good, name if good else best, tuple(reasons), advice, dict(figures), dict(reference))


def slipped(judgement: Judgement) -> list[str]:
    """Return a phrase for every figure that is worse by SLIP or more than the one it was compared with.

    Such a phrase is `lost 12 % (5 % before)`.

    It says nothing about whether the round is worse: the figures of sound rounds vary too.
    """
    found = []
    for name in (*LESS_IS_BETTER, *MORE_IS_BETTER):
        now, was = judgement.figures.get(name), judgement.reference_figures.get(name)
        if now is None or was is None:
            continue
        worse = was - now if name in MORE_IS_BETTER else now - was
        if worse >= SLIP * (was if name in NUMBERS else 1):
            found.append(f"{name} {_shown(name, now)} ({_shown(name, was)} before)")
    return found


def slip_note(judgement: Judgement) -> str:
    """Return what `slipped` finds in a good round, as one line; empty if it finds nothing, and for other rounds."""
    found = slipped(judgement) if judgement.good else []
    if not found:
        return ""
    return f"round {Round.parse(judgement.round).number} is not clearly worse, but some figures are: {'; '.join(found)}"


def _reference(before: Judgement) -> Figures:
    """Return the best value of every figure in the good rounds up to `before`; the next round is compared with it."""
    reference = before.reference_figures
    if not before.good or before.is_initial:
        return reference
    joined = dict(before.figures)
    for name, value in reference.items():
        best = joined.get(name)
        if value is not None and best is not None:
            joined[name] = (max if name in MORE_IS_BETTER else min)(value, best)
    return joined


def _shown(figure: str, value: float | None) -> str:
    return f"{value or 0:.3g}" if figure in NUMBERS else f"{100 * (value or 0):.0f} %"
