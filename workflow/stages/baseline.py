"""Stage baseline: figures of the initial labels that need no mask; the rounds are held against them."""

import logging

from auxseg.datasets.manifest import read_manifest
from auxseg.guard.gate import write_gate
from auxseg.guard.judge import judge_start
from auxseg.guard.measure import RoundFiles, measure_round
from auxseg.params.guard import GuardParams
from auxseg.params.labels import LabelsParams
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    manifest = stage.input("data/manifest")
    folders = (stage.input(f"data/{kind}/r0") for kind in ("labels", "saliency_labels", "maps"))
    files = RoundFiles.of(manifest, *folders)
    figures = measure_round(files, read_manifest(manifest, "train"), "guard r0")
    judgement = judge_start(figures, comparable=stage.params(LabelsParams).initial == "fusion")
    if not judgement.good:
        logging.warning("%s", judgement.warning)
    judgement.write(stage.output("data/guard/r0.json"))
    write_gate(stage.output("data/guard/r0.txt"), judgement, stage.params(GuardParams))


if __name__ == "__main__":
    run("baseline", main)
