"""Stage guard: decide, without masks, whether a round is clearly worse than the best one before it."""

import logging

from auxseg.datasets.dataset import Dataset
from auxseg.guard.gate import write_gate
from auxseg.guard.judge import judge, slip_note
from auxseg.guard.measure import RoundFiles, measure_round
from auxseg.guard.record import Judgement
from auxseg.params.guard import GuardParams
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    dataset, name = Dataset(stage.inputs), str(stage.round)
    figures = measure_round(RoundFiles.of(dataset, stage.round), dataset.records(), f"guard {name}")
    judgement = judge(name, figures, Judgement.read(stage.inputs.judgement(stage.round.previous)))
    if judgement.good:
        logging.info("%s: nothing is clearly worse than in %s", name, judgement.reference)
    if line := judgement.warning or slip_note(judgement):
        logging.warning("%s", line)
    judgement.write(stage.outputs.judgement(stage.round))
    write_gate(stage.outputs.gate(stage.round), judgement, stage.params(GuardParams))


if __name__ == "__main__":
    run("guard", main, rounds=True)
