"""Stage prepare: check the data set, and write the manifest and the list of masks.

`python workflow/stages/prepare.py --report` lists all problems of the data set instead, as `auxseg check --data` does.
"""

import importlib
import sys

from auxseg.datasets.prepare import prepare
from auxseg.datasets.scan import check_raw
from auxseg.params.data import DataParams
from auxseg.params.local import data_root
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    params, outputs = stage.params(DataParams), stage.outputs
    if params.format != "scenes":
        check_raw(data_root(params.format), stage.inputs.raw)
    prepare(params, stage.shards, outputs.manifest, outputs.mask_lists, outputs.contradictions)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--report"]:
        # imported by name, so that the commands are not part of the stage's code
        sys.exit(importlib.import_module("auxseg.cli.main").main(["check", "--data", *sys.argv[2:]]))
    run("prepare", main)
