"""Stage review: apply the verdicts of review/verdicts.csv to one round's labels."""

import logging

from auxseg.datasets.manifest import manifest_shards, read_classes, shard_files
from auxseg.params.review import ReviewParams
from auxseg.pipeline.stage import Stage, run
from auxseg.review.apply import decide_uses
from auxseg.review.uses import summarise, write_uses
from auxseg.review.verdicts import conflicts, label_hashes, read_verdicts, write_verdicts


def main(stage: Stage) -> None:
    manifest = stage.input("data/manifest")
    labels = shard_files(stage.input(f"data/labels/{stage.round}"), manifest_shards(manifest), ".zip")
    classes = read_classes(manifest / "classes.csv").names
    verdicts = read_verdicts(stage.input("review/verdicts.csv"))
    own = [verdict for verdict in verdicts if verdict.round == stage.round]
    hashes = label_hashes(labels.values())
    uses, stale = decide_uses(hashes, own, stage.params(ReviewParams), classes)
    for verdict in stale:
        logging.warning(
            "%s's verdict on %s is stale (the label has changed since, or is gone) and not applied; judge it again",
            verdict.reviewer or "nobody", verdict.image_id,
        )  # fmt: skip
    for group in conflicts(verdict for verdict in own if not verdict.is_stale(hashes)):
        logging.warning("reviewers disagree on %s; one rejection rejects", group[0].image_id)
    logging.info("%s: %s", stage.round, summarise(uses.values()))
    write_uses(stage.output(f"data/review/{stage.round}.csv"), uses)
    write_verdicts(stage.output(f"data/review/{stage.round}.stale.csv"), stale)


if __name__ == "__main__":
    run("review", main, rounds=True)
