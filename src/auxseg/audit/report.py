"""Writes the report: index.html, a page for each round and split, and one picture for each row."""

from pathlib import Path

from auxseg.artifacts.atomic import atomic_dir
from auxseg.artifacts.tables import read_csv
from auxseg.audit.pages import index_page, page_links, round_page
from auxseg.audit.sources import Sources, list_rounds, spread
from auxseg.audit.strips import StripJob, page_name
from auxseg.datasets.manifest import ImageRecord, shard_of
from auxseg.parallel import map_processes
from auxseg.params.audit import AuditParams


def write_report(folder: Path, sources: Sources, records: list[ImageRecord], summary: Path, params: AuditParams) -> int:
    """Write the report as `folder`: whole or not at all, in place of what was there.

    Args:
        folder: becomes the report.
        sources: artifacts of every round.
        records: the manifest, train and val.
        summary: folder with rounds.csv and classes.csv.
        params: how many images a split.

    Returns:
        Number of images shown.

    Raises:
        DataError: an artifact of a round is missing or damaged.
    """
    rounds = list_rounds(summary / "rounds.csv", sources.labels)
    sources.check(rounds)
    by_split = {split: [record for record in records if record.split == split] for split in ("train", "val")}
    shown = {split: spread(found, params.images) for split, found in by_split.items()}
    pages = {"train": rounds, "val": rounds[1:] if shown["val"] else []}
    links = page_links(rounds, bool(shown["val"]))
    # images of one shard together, so that a worker opens few files
    chosen = sorted(
        (record for split in pages if pages[split] for record in shown[split]),
        key=lambda record: (shard_of(record.id, sources.shards), record.id),
    )
    with atomic_dir(folder) as temporary:
        for split, names in pages.items():
            for name in names:
                (temporary / "pictures" / page_name(name, split)).mkdir(parents=True)
        drawn = map_processes(StripJob(sources, tuple(rounds), temporary), chosen, "audit")
        strips = {record.id: found for record, found in zip(chosen, drawn, strict=True)}
        for split, names in pages.items():
            for name in names:
                page = page_name(name, split)
                rows = [strips[record.id][page] for record in shown[split]]
                text = round_page(name, split, names, rows, len(by_split[split]), sources.classes, links)
                (temporary / f"{page}.html").write_bytes(text.encode())
        results, per_class = read_csv(summary / "rounds.csv"), read_csv(summary / "classes.csv")
        (temporary / "index.html").write_bytes(index_page(links, results, per_class).encode())
    return len(chosen)
