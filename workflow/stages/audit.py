"""Stage audit: the report of all rounds, a folder of plain pages that opens from disk."""

import logging

from auxseg.audit.report import write_report
from auxseg.audit.sources import Sources
from auxseg.datasets.manifest import manifest_shards, read_classes, read_manifest, read_mask_list
from auxseg.datasets.root import mask_policy, photos_root
from auxseg.params.audit import AuditParams
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    manifest = stage.input("data/manifest")
    shards = tuple(manifest_shards(manifest))
    sources = Sources(
        photos=photos_root(manifest),
        saliency=stage.input("data/saliency"),
        maps=stage.input("data/maps"),
        labels=stage.input("data/labels"),
        saliency_labels=stage.input("data/saliency_labels"),
        predictions=stage.input("data/predictions"),
        classes=read_classes(manifest),
        shards=shards,
        masks=read_mask_list(stage.input("data/masks"), shards),
        unlisted=mask_policy(manifest),
    )
    folder, summary = stage.output("data/audit"), stage.input("data/summary")
    shown = write_report(folder, sources, read_manifest(manifest), summary, stage.params(AuditParams))
    logging.info("audit: %d images, open %s", shown, folder / "index.html")


if __name__ == "__main__":
    run("audit", main)
