"""Is a round clearly worse than the best one before it? By figures that need no mask.

A rule looks at one figure and says "clearly worse" only far beyond what sound rounds do: on the runs of
docs/own-data.md and docs/experiments.md it finds every collapsed round and calls no round bad whose labels were better
against masks. A round that loses a point or two of mIoU stays unseen: without masks it cannot be told from one that
gains as much.
"""

from collections.abc import Mapping
from typing import NamedTuple

from auxseg.guard.record import Judgement

Figures = Mapping[str, float | None]


class Rule(NamedTuple):
    """One way to be clearly worse: the figure rises by more than `rise` and is more than `floor`, or falls below
    `remains` times what it was."""

    figure: str
    sentence: str
    """With {now} and {before} in per cent."""
    rise: float | None = None
    floor: float = 0.0
    remains: float | None = None

    def broken(self, now: float, before: float) -> bool:
        """Tell whether a figure that was `before` (0 where the reference has none) is clearly worse `now`."""
        if self.remains is not None:
            return now < self.remains * before
        return now > before + self.rise and now > self.floor


RULES = (
    Rule("ignored", "{now} of the pixels are ignored ({before} before)", rise=0.25),
    Rule("background", "{now} of the pixels are background ({before} before)", remains=0.33),
    Rule("without_background", "{now} of the labels have no background pixel ({before} before)", rise=0.25),
    Rule("all_ignored", "{now} of the labels are ignored everywhere ({before} before)", rise=0.1),
    Rule("lost", "{now} of the image-level labels have no pixel in their label ({before} before)", rise=0.15),
    Rule("constant", "the network predicts one class everywhere in {now} of the images", rise=0.3, floor=0.5),
    Rule("unseen", "{now} of the image-level labels are not in the network's prediction", rise=0.3, floor=0.5),
)

LONGER = "Train longer: `train.steps: N` in params.yaml, twice what the log of the stage train says."
SLOWER = "Lower the learning rate: `train.optimiser.lr`, a third of what it is."
TAKE_BEST = "The labels of {best} are the last good ones: `auxseg export labels --round best --to FOLDER`."
BAD_START = (
    "Look at the CAMs of r0 in the report. Train the classifier longer (`classify.steps`), add images of the classes "
    "that are missing, or lower `labels.cam_threshold` or `labels.saliency_threshold`."
)

POOR_START = {
    "all_ignored": (0.25, "{now} of the initial labels are ignored everywhere"),
    "without_background": (0.5, "{now} of the initial labels have no background pixel"),
    "lost": (0.4, "{now} of the image-level labels have no pixel in their initial label"),
}
"""Figure of r0, which has nothing to be compared with: the most that is not warned of, and the sentence."""


def judge_start(figures: Figures) -> Judgement:
    """Judge the initial labels."""
    reasons = [
        sentence.format(now=_per_cent(figures[name]))
        for name, (most, sentence) in POOR_START.items()
        if (figures[name] or 0) > most
    ]
    advice = (BAD_START,) if reasons else ()
    return Judgement("r0", "r0", not reasons, "r0", tuple(reasons), advice, dict(figures), dict(figures))


def judge(name: str, figures: Figures, before: Judgement) -> Judgement:
    """Judge a round.

    Args:
        name: the round.
        figures: of this round.
        before: the judgement of the round before; this one is compared with the best round up to there.
    """
    best, reference = before.best, before.best_figures
    reasons = [
        rule.sentence.format(now=_per_cent(now), before=_per_cent(was))
        for rule in RULES
        if (now := figures.get(rule.figure)) is not None and rule.broken(now, was := reference.get(rule.figure) or 0.0)
    ]
    good = not reasons
    advice = () if good else (LONGER, SLOWER, TAKE_BEST.format(best=best))
    return Judgement(name, best, good, name if good else best, tuple(reasons), advice, dict(figures), dict(reference))


def _per_cent(share: float | None) -> str:
    return f"{100 * (share or 0):.0f} %"
