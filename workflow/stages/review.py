"""Stage review: apply the verdicts of review/verdicts.csv to one round's labels."""

import hashlib
import logging

from auxseg.artifacts.archive import Archive
from auxseg.datasets.manifest import manifest_shards, shard_files
from auxseg.params.review import ReviewParams
from auxseg.pipeline.stage import Stage, run
from auxseg.review import decide_uses, read_verdicts, summarise, write_uses


def main(stage: Stage) -> None:
    manifest = stage.input("data/manifest")
    files = shard_files(stage.input(f"data/labels/{stage.round}"), manifest_shards(manifest), ".zip")
    hashes = {
        name.removesuffix(".png"): hashlib.sha256(content).hexdigest()
        for path in files.values()
        for name, content in Archive(path).items()
    }
    verdicts = read_verdicts(stage.input("review/verdicts.csv"), stage.round)
    uses, stale = decide_uses(hashes, verdicts, stage.params(ReviewParams))
    for image_id in stale:
        logging.warning(
            "verdict on %s is stale (its label has changed since) and not applied; judge it again", image_id
        )
    logging.info("%s: %s", stage.round, summarise(uses.values()))
    write_uses(stage.output(f"data/review/{stage.round}.csv"), uses)


if __name__ == "__main__":
    run("review", main, rounds=True)
