"""Stage prepare: check the data set, and write the manifest and the list of masks."""

from auxseg.datasets.prepare import prepare
from auxseg.params.data import DataParams
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    prepare(stage.params(DataParams), stage.shards, stage.outputs.manifest, stage.outputs.mask_lists)


if __name__ == "__main__":
    run("prepare", main)
