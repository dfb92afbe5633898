"""Write the report: pages, scripts, index, and chunks of images made in worker processes."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from auxseg.artifacts.atomic import atomic_dir
from auxseg.artifacts.rounds import Round
from auxseg.audit.chunks import Chunk, ChunkJob, rounds_of, sheet_folders
from auxseg.audit.index import base_index, cut_chunks, dataset_name, round_index
from auxseg.audit.pages import SCRIPTS, index_page, tables_page
from auxseg.audit.provenance import provenance
from auxseg.audit.scripts import data_script
from auxseg.audit.sources import Sources, list_rounds, spread
from auxseg.datasets.manifest import SPLITS, ImageRecord
from auxseg.parallel import map_processes
from auxseg.params.audit import AuditParams

APP = Path(__file__).parent / "app"


def write_report(
    folder: Path,
    sources: Sources,
    records: Sequence[ImageRecord],
    params: AuditParams,
    sections: dict[str, dict[str, Any]],
) -> tuple[int, int]:
    """Write the report as `folder`, completely or not at all; replaces an earlier report.

    Args:
        folder: the folder to write.
        sources: artifacts of every round; every CSV among the tables is shown.
        records: the manifest, train and val.
        params: number of images per split, and their size.
        sections: section -> values of the parameters that made the artifacts.

    Returns:
        Number of images shown, and size of the folder in bytes.

    Raises:
        DataError: an artifact of a round is missing or damaged.
    """
    rounds = list_rounds(sources.store)
    sources.check(rounds)
    by_split = {split: [record for record in records if record.split == split] for split in SPLITS}
    shown = [record for split in SPLITS for record in spread(by_split[split], params.images)]
    chunks = cut_chunks(shown, sources)
    with atomic_dir(folder) as temporary:
        sheets = {
            f"thumbs/{path}"
            for split in {chunk.split for chunk in chunks}
            for path in sheet_folders(rounds_of(rounds, split), split, sources)
        }
        for path in ("images", "index", *sheets):
            (temporary / path).mkdir(parents=True)
        job = ChunkJob(sources, tuple(rounds), temporary, params.photo_side)
        rows = map_processes(job, chunks, "audit", unit="chunk")
        for (name, split), found in _by_page(chunks, rows).items():
            _write_script(temporary, f"index/{name}-{split}", round_index(found))
        totals = {split: len(found) for split, found in by_split.items()}
        origin = provenance(sources.store, rounds, sections)
        base = base_index(dataset_name(records), chunks, sources, rounds, totals, origin)
        _write_script(temporary, "index/base", base)
        (temporary / "app").mkdir()
        for file in ("style.css", "tables.js", *SCRIPTS):
            shutil.copyfile(APP / file, temporary / "app" / file)
        (temporary / "tables.html").write_bytes(tables_page(sources.store.tables, sources.contradictions).encode())
        size = _size(temporary)
        (temporary / "index.html").write_bytes(index_page(size).encode())
    return len(shown), _size(folder)


def _by_page(
    chunks: Sequence[Chunk], rows: Sequence[dict[Round, list[dict[str, Any]]]]
) -> dict[tuple[Round, str], list[dict[str, Any]]]:
    """Return (round, split) -> rows of all chunks, in the order of the chunks."""
    pages: dict[tuple[Round, str], list[dict[str, Any]]] = {}
    for chunk, by_round in zip(chunks, rows, strict=True):
        for name, found in by_round.items():
            pages.setdefault((name, chunk.split), []).extend(found)
    return pages


def _write_script(folder: Path, name: str, value: dict[str, Any]) -> None:
    (folder / f"{name}.js").write_bytes(data_script(name, value))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
