"""The pages of the report as HTML text. Class names and table cells are data: jinja2 escapes all of them."""

import math
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from auxseg.artifacts.atomic import finished
from auxseg.artifacts.tables import read_csv
from auxseg.datasets.contradictions import Contradictions
from auxseg.metrics.absent import absent_notes

SCRIPTS = (
    "data.js",
    "png.js",
    "maps.js",
    "decision.js",
    "state.js",
    "rows.js",
    "verdicts_csv.js",
    "verdicts.js",
    "thumbs.js",
    "gallery.js",
    "controls.js",
    "summary.js",
    "paint.js",
    "viewer.js",
    "pixel.js",
    "judge.js",
    "details.js",
    "keys.js",
    "main.js",
)
"""The page's code: classic scripts, in loading order."""


def environment() -> Environment:
    """Return the template environment; an undefined variable is an error."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def index_page(size: int) -> str:
    """Return index.html: gallery and viewer. `size` is the size of the rest of the folder in bytes."""
    return environment().get_template("index.html").render(scripts=SCRIPTS, size=_megabytes(size))


CONTRADICTIONS = "masks_against_labels"
"""The name of the table of images whose mask contradicts their image-level labels."""


def tables_page(summary: Path, found: Contradictions) -> str:
    """Return tables.html: every CSV of a folder, `rounds.csv` and `classes.csv` first, and the contradictions last."""
    first = ("rounds", "classes")
    paths = sorted(
        finished(summary, "*.csv"), key=lambda path: (first.index(path.stem) if path.stem in first else 2, path.stem)
    )
    tables = [table for table in map(_table, paths) if table["rows"]]
    measured = next((table for table in tables if table["name"] == "rounds"), None)
    if measured and (summary / "classes.csv").exists():
        measured["note"] = "; ".join(absent_notes(*(read_csv(summary / f"{name}.csv") for name in first)))
    if found.images:
        tables.append(_contradictions(found))
    return environment().get_template("tables.html").render(tables=tables, measured=measured is not None)


def _contradictions(found: Contradictions) -> dict[str, Any]:
    rows = found.rows()
    cells = [[_cell(text, None, 0) for text in row.values()] for row in rows]  # an id such as 007 is not a number
    return {
        "name": CONTRADICTIONS,
        "file": "contradictions.json",
        "note": found.message,
        "header": list(rows[0]),
        "rows": cells,
    }


def _table(path: Path) -> dict[str, Any]:
    """Return what the template shows. A cell has a text, a number or None, and its share of the column's maximum."""
    rows = [row for row in read_csv(path) if any(row.values())]
    header = list(rows[0]) if rows else []
    numbers = {name: _numbers([row[name] for row in rows]) for name in header}
    largest = {name: max((abs(n) for n in values if n is not None), default=0) for name, values in numbers.items()}
    cells = [
        [_cell(row[name], numbers[name][position], largest[name]) for name in header]
        for position, row in enumerate(rows)
    ]
    return {"name": path.stem, "file": f"summary/{path.name}", "note": "", "header": header, "rows": cells}


def _cell(text: str, number: float | None, largest: float) -> dict[str, Any]:
    if number is None:
        return {"text": text or "-", "number": None, "share": 0}
    shown = f"{int(number):,}" if number.is_integer() and abs(number) < 1e15 else f"{number:.4g}"
    return {"text": shown, "number": number, "share": round(100 * abs(number) / largest) if largest else 0}


def _numbers(texts: list[str | None]) -> list[float | None]:
    """Return the numbers of a column; all None if one cell is text, because a class may be called 1024."""
    numbers = [_number(text) for text in texts]
    is_text = any(text and number is None for text, number in zip(texts, numbers, strict=True))
    return [None] * len(numbers) if is_text else numbers


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
