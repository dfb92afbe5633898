"""The figures of all experiments in one CSV, and the papers' tables with them."""

import fcntl
import re
import statistics
from collections.abc import Iterable
from pathlib import Path

from experiment_files import Base, Experiment, Row, Table

from auxseg.artifacts.atomic import write_text
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.tables import read_csv, write_rows

COLUMNS = (
    "experiment",
    "base",
    "seed",
    "round",
    "what",
    "set",
    "miou",
    "precision",
    "recall",
    "params",
    "commit",
    "minutes",
)
IDENTITY = COLUMNS[:3]
LABELS, MODEL, FINAL = "labels", "model", "model+ms+crf"
HEADINGS = {LABELS: "labels", MODEL: "model", FINAL: "model, post-processed"}
MARKER = re.compile(r"<!-- table (\S+) (\S+) -->\n.*?<!-- end -->", re.DOTALL)

Result = dict[str, str]
"""One line of the CSV."""


def read_results(path: Path) -> list[Result]:
    """Return all stored figures."""
    return read_csv(path) if path.exists() else []


def kept(results: Iterable[Result], experiment: Experiment) -> list[Result]:
    """Return the figures of an experiment, or else those of another one with the same parameters."""
    same = [
        row
        for row in results
        if (row["base"], row["seed"], row["params"]) == (experiment.base, str(experiment.seed), experiment.digest)
    ]
    own = [row for row in same if row["experiment"] == experiment.name]
    return own or [row for row in same if row["experiment"] == same[0]["experiment"]]


def keep(path: Path, experiment: Experiment, rows: Iterable[dict]) -> None:
    """Write an experiment's figures to the CSV, atomically; they replace its older ones."""
    named = {
        "experiment": experiment.name,
        "base": experiment.base,
        "seed": str(experiment.seed),
        "params": experiment.digest,
    }
    with path.with_name(f".tmp-{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another base may run beside this one
        others = [row for row in read_results(path) if any(row[key] != named[key] for key in IDENTITY)]
        results = sorted(others + [{**row, **named} for row in rows], key=_order)
        write_rows(path, results, COLUMNS)


def _order(row: Result) -> tuple:
    return row["base"], row["experiment"], int(row["seed"])


def markdown(name: str, table: Table, base_name: str, base: Base, results: Iterable[Result]) -> str:
    """Return a table as Markdown: mean and, in brackets, standard deviation over the seeds, mIoU in per cent.

    A gain is the mean over seeds of the difference to the first line with the same seed, with its standard deviation.
    """
    here = [row for row in results if row["base"] == base_name]
    with_gain = {LABELS, table.figure}
    head = [table.title.partition(" (")[0]]
    for column, heading in HEADINGS.items():
        where = "selection split" if base.hold_out else "train" if column == LABELS else "val"
        head += [f"{heading} ({where})", *(["gain"] if column in with_gain else [])]
    lines = [[*head, "seeds", "published"]]
    first: dict[str, dict[str, float]] = {}
    for title, row, published, found in _lines(name, table, here):
        cells, seeds = [title], set()
        for column in HEADINGS:
            values = {} if column == LABELS and not row.labels else _by_seed(found, column)
            seeds |= set(values)
            start = first.setdefault(column, values)
            cells.append(_spread(values.values()))
            if column in with_gain:
                pairs = [values[seed] - start[seed] for seed in values if seed in start]
                cells.append(_spread(pairs, sign=True) if start is not values else "")
        absent = f"needs `{row.needs}/` in a data root" if row.needs else "not run"
        lines.append([*cells, str(len(seeds)) if seeds else absent, published])
    rule = ["---"] * len(lines[0])
    return "\n".join("| " + " | ".join(line) + " |" for line in [lines[0], rule, *lines[1:]])


def _lines(name: str, table: Table, results: list[Result]) -> Iterable[tuple[str, Row, str, list[Result]]]:
    """Yield title, row, published figure and results of every line."""
    for key, row in table.rows.items():
        found = [result for result in results if result["experiment"] == f"{name}/{key}"]
        last = max((Round.parse(result["round"]).number for result in found), default=table.rounds or 1)
        for number in range(1, last + 1) if table.each_round else [last]:
            place = number - 1 if table.each_round else 0
            published = f"{row.published[place]:.1f}" if place < len(row.published) else "-"
            title = f"round {number}" if table.each_round else row.title
            yield title, row, published, [result for result in found if result["round"] == str(Round(number))]


def _by_seed(results: Iterable[Result], what: str) -> dict[str, float]:
    return {row["seed"]: float(row["miou"]) for row in results if row["what"] == what and row["miou"]}


def _spread(values: Iterable[float], sign: bool = False) -> str:
    values = list(values)
    if not values:
        return "-"
    mean = f"{statistics.mean(values):{'+' if sign else ''}.1f}"
    return f"{mean} ({statistics.stdev(values):.1f})" if len(values) > 1 else mean


def update_page(path: Path, tables: dict[str, Table], bases: dict[str, Base], results: list[Result]) -> None:
    """Update every table of a Markdown page between `<!-- table NAME BASE -->` and `<!-- end -->`."""

    def fresh(match: re.Match) -> str:
        name, base = match.groups()
        text = markdown(name, tables[name], base, bases[base], results)
        commits = sorted({row["commit"] for row in results if row["base"] == base and _table(row) == name})
        made = f"\n\nMade at {', '.join(commits)}." if commits else ""
        return f"<!-- table {name} {base} -->\n\n{text}{made}\n\n<!-- end -->"

    text = path.read_text()
    renewed = MARKER.sub(fresh, text)
    if renewed != text:
        write_text(path, renewed)


def _table(row: Result) -> str:
    return row["experiment"].partition("/")[0]
