"""The effect of verdicts and corrections on one round's labels."""

import logging
from collections.abc import Collection, Iterable, Mapping

from auxseg.artifacts.rounds import Round
from auxseg.errors import DataError
from auxseg.params.review import ReviewParams
from auxseg.review.uses import TrainingUse, Use, summarise
from auxseg.review.verdicts import Verdict, check_dropped, conflicts, latest


def apply_verdicts(
    round_: Round,
    hashes: Mapping[str, str],
    verdicts: Iterable[Verdict],
    params: ReviewParams,
    classes: Collection[str],
    corrected: Collection[str] = (),
) -> tuple[dict[str, TrainingUse], list[Verdict]]:
    """Return what `decide_uses` does for one round, and log stale verdicts, disagreements and a summary.

    Args:
        round_: the round; verdicts on others are left out.
        hashes: image id -> SHA-256 of the round's label PNG.
        verdicts: of all rounds.
        params: what a rejection does.
        classes: names that a verdict may drop.
        corrected: images whose label was corrected by hand.

    Raises:
        DataError: as `decide_uses`.
    """
    own = [verdict for verdict in verdicts if verdict.round == str(round_)]
    uses, stale = decide_uses(hashes, own, params, classes, corrected)
    for verdict in stale:
        logging.warning(
            "the verdict on %s by %s is stale (the label has changed since, or is gone) and not applied; judge it "
            "again",
            verdict.image_id,
            verdict.reviewer or "an unnamed reviewer",
        )
    for group in conflicts(verdict for verdict in own if not verdict.is_stale(hashes)):
        if (image_id := group[0].image_id) not in corrected:
            logging.warning("reviewers disagree on %s: it counts as rejected, because one of them rejects it", image_id)
    logging.info("%s: %s", round_, summarise(uses.values()))
    return uses, stale


def decide_uses(
    hashes: Mapping[str, str],
    verdicts: Iterable[Verdict],
    params: ReviewParams,
    classes: Collection[str],
    corrected: Collection[str] = (),
) -> tuple[dict[str, TrainingUse], list[Verdict]]:
    """Return the use of every image, and the verdicts that are stale and therefore not applied.

    Of each reviewer, only the verdict that `latest` returns counts. If several reviewers judged one label, it is
    rejected if any of them rejects it, and a class is dropped if any of them drops it. Verdicts judge the pseudo label,
    so they do not apply to an image whose label was corrected by hand.

    Args:
        hashes: image id -> SHA-256 of the round's label PNG.
        verdicts: of this round only.
        params: what a rejection does.
        classes: names that a verdict may drop; a stale verdict may name others, from an older class table.
        corrected: images whose label was corrected by hand.

    Raises:
        DataError: no image would be left to train on, or a verdict drops an unknown class.
    """
    verdicts = latest(verdicts, hashes)
    stale = [verdict for verdict in verdicts if verdict.is_stale(hashes)]
    fresh = [verdict for verdict in verdicts if not verdict.is_stale(hashes)]
    rejected: set[str] = set()
    dropped: dict[str, set[str]] = {}
    for verdict in fresh:
        check_dropped(verdict.drop_classes, classes, f"review/verdicts.csv: {verdict.round} {verdict.image_id}")
        if verdict.verdict == "reject":
            rejected.add(verdict.image_id)
        dropped.setdefault(verdict.image_id, set()).update(verdict.drop_classes)
    if hashes and rejected - set(corrected) == set(hashes):
        raise DataError(
            f"review/verdicts.csv: rejects every label of {fresh[0].round}, so nothing is left to train on; accept "
            "some of them, or remove their rows"
        )
    whole = TrainingUse(Use(params.rejected))
    uses = {
        image_id: whole if image_id in rejected else TrainingUse(dropped=tuple(sorted(dropped.get(image_id, ()))))
        for image_id in hashes
    } | {image_id: TrainingUse(Use.CORRECTED) for image_id in corrected}
    return uses, stale
