"""Stage guard: is a round clearly worse than the best one before it? Without masks."""

import logging

from auxseg.datasets.manifest import read_manifest
from auxseg.guard.gate import write_gate
from auxseg.guard.judge import judge
from auxseg.guard.measure import RoundFiles, measure_round
from auxseg.guard.record import Judgement
from auxseg.params.guard import GuardParams
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    manifest, name, before = stage.input("data/manifest"), stage.round, stage.previous
    folders = (stage.input(f"data/{kind}/{name}") for kind in ("labels", "saliency_labels", "maps"))
    files = RoundFiles.of(manifest, *folders, before=stage.input(f"data/labels/{before}"))
    figures = measure_round(files, read_manifest(manifest, "train"), f"guard {name}")
    judgement = judge(name, figures, Judgement.read(stage.input(f"data/guard/{before}.json")))
    if judgement.good:
        logging.info("%s: nothing is clearly worse than in %s", name, judgement.reference)
    else:
        logging.warning("%s", judgement.warning)
    judgement.write(stage.output(f"data/guard/{name}.json"))
    write_gate(stage.output(f"data/guard/{name}.txt"), judgement, stage.params(GuardParams))


if __name__ == "__main__":
    run("guard", main, rounds=True)
