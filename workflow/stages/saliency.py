"""Off-the-shelf saliency prior of every photograph of one shard, train and val."""

import logging

from auxseg.artifacts.archive import write_archive
from auxseg.datasets.manifest import read_shard
from auxseg.datasets.root import photos_root
from auxseg.params.runtime import RuntimeParams
from auxseg.params.saliency import SaliencyParams
from auxseg.pipeline.stage import Stage, run
from auxseg.saliency import build_provider, compute_priors


def main(stage: Stage) -> None:
    params, runtime = stage.params(SaliencyParams), stage.params(RuntimeParams)
    root = photos_root(stage.input("data/manifest/dataset.json"))
    records = read_shard(stage.input(f"data/manifest/{stage.shard}.csv"))
    provider = build_provider(params, root, runtime.threads)
    write_archive(stage.output(f"data/saliency/{stage.shard}.zip"), compute_priors(provider, root, records))
    logging.info("saliency %s: %d images by %s", stage.shard, len(records), params.provider)


if __name__ == "__main__":
    run("saliency", main, shards=True)
