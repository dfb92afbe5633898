"""Stage saliency: the off-the-shelf saliency priors of the images of one shard, train and val."""

import logging

from auxseg.artifacts.archive import write_archive
from auxseg.datasets.dataset import Dataset
from auxseg.params.runtime import RuntimeParams
from auxseg.params.saliency import SaliencyParams
from auxseg.pipeline.stage import Stage, run
from auxseg.saliency import build_provider, compute_priors


def main(stage: Stage) -> None:
    params, runtime, dataset = stage.params(SaliencyParams), stage.params(RuntimeParams), Dataset(stage.inputs)
    records = dataset.records(shard=stage.shard)
    provider = build_provider(params, dataset.root, runtime.threads)
    write_archive(stage.outputs.saliency(stage.shard), compute_priors(provider, dataset.root, records))
    logging.info("saliency %s: %d images by %s", stage.shard, len(records), params.provider)


if __name__ == "__main__":
    run("saliency", main, shards=True)
