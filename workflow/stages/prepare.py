"""Stage prepare: check the data set, and write the manifest and the list of masks."""

from auxseg.datasets.prepare import prepare
from auxseg.params.data import DataParams
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    outputs = stage.outputs
    prepare(stage.params(DataParams), stage.shards, outputs.manifest, outputs.mask_lists, outputs.contradictions)


if __name__ == "__main__":
    run("prepare", main)
