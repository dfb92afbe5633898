"""Stage audit: the report of all rounds, one folder that opens from disk: rank labels, see why, judge them."""

import logging

from auxseg.audit.report import write_report
from auxseg.audit.sources import Sources
from auxseg.datasets.manifest import manifest_shards, read_classes, read_manifest, read_mask_list, shard_files
from auxseg.datasets.root import mask_policy, photos_root
from auxseg.params.audit import AuditParams
from auxseg.params.backbone import BackboneParams
from auxseg.params.cam import CamParams
from auxseg.params.classify import ClassifyParams
from auxseg.params.data import DataParams
from auxseg.params.evaluate import EvaluateParams
from auxseg.params.guard import GuardParams
from auxseg.params.labels import LabelsParams
from auxseg.params.network import NetworkParams
from auxseg.params.propagate import PropagateParams
from auxseg.params.review import ReviewParams
from auxseg.params.runtime import RuntimeParams
from auxseg.params.saliency import SaliencyParams
from auxseg.params.train import TrainParams
from auxseg.pipeline.stage import Stage, run

SHOWN = (
    RuntimeParams, DataParams, SaliencyParams, BackboneParams, ClassifyParams, CamParams, LabelsParams, ReviewParams,
    GuardParams, NetworkParams, TrainParams, PropagateParams, EvaluateParams,
)  # fmt: skip
"""Every section that shaped what the report shows; it lists them as provenance."""


def main(stage: Stage) -> None:
    manifest = stage.input("data/manifest")
    shards = tuple(manifest_shards(manifest))
    sources = Sources(
        photos=photos_root(manifest / "dataset.json"),
        saliency=stage.input("data/saliency"),
        maps=stage.input("data/maps"),
        labels=stage.input("data/labels"),
        saliency_labels=stage.input("data/saliency_labels"),
        predictions=stage.input("data/predictions"),
        models=stage.input("data/models"),
        reviews=stage.input("data/review"),
        guard=stage.input("data/guard"),
        classes=read_classes(manifest / "classes.csv"),
        shards=shards,
        masks=read_mask_list(shard_files(stage.input("data/masks"), shards, ".csv").values()),
        unlisted=mask_policy(manifest / "dataset.json"),
        rule=stage.params(LabelsParams),
    )
    sections = {section.key: stage.params(section).model_dump(mode="json") for section in SHOWN}
    folder, summary = stage.output("data/audit"), stage.input("data/summary")
    shown, size = write_report(folder, sources, read_manifest(manifest), summary, stage.params(AuditParams), sections)
    logging.info("audit: %d images, %.1f MB; open %s", shown, size / 1e6, folder / "index.html")


if __name__ == "__main__":
    run("audit", main)
