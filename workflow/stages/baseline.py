"""Stage baseline: figures of the initial labels, without masks; `guard` compares the rounds with them."""

import logging

from auxseg.artifacts.rounds import R0
from auxseg.datasets.dataset import Dataset
from auxseg.guard.gate import write_gate
from auxseg.guard.judge import judge_start
from auxseg.guard.measure import RoundFiles, measure_round, read_val_precision
from auxseg.params.guard import GuardParams
from auxseg.params.labels import LabelsParams
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    dataset = Dataset(stage.inputs)
    figures = measure_round(RoundFiles.of(dataset, R0), dataset.records(), f"guard {R0}")
    figures["val_tag_precision"] = read_val_precision(stage.inputs.classifier_metrics)
    judgement = judge_start(figures, comparable=stage.params(LabelsParams).initial == "fusion")
    if not judgement.good:
        logging.warning("%s", judgement.warning)
    judgement.write(stage.outputs.judgement(R0))
    write_gate(stage.outputs.gate(R0), judgement, stage.params(GuardParams))


if __name__ == "__main__":
    run("baseline", main)
