"""Stage audit: the report of all rounds, a folder to open in a browser, in which to rank, explain and judge labels."""

import logging

from auxseg.audit.provenance import SECTIONS
from auxseg.audit.report import write_report
from auxseg.audit.sources import Sources
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.masks import Masks
from auxseg.params.audit import AuditParams
from auxseg.params.labels import LabelsParams
from auxseg.pipeline.stage import Stage, run


def main(stage: Stage) -> None:
    stage.reject_orphans()
    dataset, folder = Dataset(stage.inputs), stage.outputs.report
    sources = Sources(dataset, Masks.of(dataset), stage.params(LabelsParams))
    sections = {section.key: stage.params(section).model_dump(mode="json") for section in SECTIONS}
    shown, size = write_report(folder, sources, dataset.records(), stage.params(AuditParams), sections)
    logging.info("audit: %d images, %.1f MB; open %s", shown, size / 1e6, folder / "index.html")


if __name__ == "__main__":
    run("audit", main)
