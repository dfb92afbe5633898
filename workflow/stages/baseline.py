"""Stage baseline: figures of the initial labels that need no mask; the rounds are held against them."""

import logging

from auxseg.datasets.manifest import manifest_shards, read_classes, read_manifest, shard_files
from auxseg.guard.gate import write_gate
from auxseg.guard.judge import judge_start
from auxseg.guard.measure import RoundFiles, measure_round
from auxseg.params.guard import GuardParams
from auxseg.params.labels import LabelsParams
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    manifest = stage.input("data/manifest")
    shards = manifest_shards(manifest)
    files = RoundFiles(
        read_classes(manifest / "classes.csv"),
        labels=shard_files(stage.input("data/labels/r0"), shards, ".zip"),
        before=None,
        saliency=shard_files(stage.input("data/saliency_labels/r0"), shards, ".zip"),
        maps=shard_files(stage.input("data/maps/r0"), shards, ".safetensors"),
    )
    figures = measure_round(files, read_manifest(manifest, "train"), "guard r0")
    judgement = judge_start(figures, comparable=stage.params(LabelsParams).initial == "fusion")
    if not judgement.good:
        logging.warning("%s", judgement.warning)
    judgement.write(stage.output("data/guard/r0.json"))
    write_gate(stage.output("data/guard/r0.txt"), judgement, stage.params(GuardParams))


if __name__ == "__main__":
    run("baseline", main)
