"""`auxseg table`: the figures of every round, and where to look at the rest."""

import argparse
from pathlib import Path

SUMMARY = Path("data/summary/rounds.csv")
REPORT = Path("data/audit/index.html")
LABELS = Path("data/labels")

_MODELS = {"model": "single scale", "model+ms": "multi-scale", "model+ms+crf": "multi-scale + CRF"}


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("table", help="print the result table: labels and models of every round")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print data/summary/rounds.csv as a table."""
    from auxseg.artifacts.tables import read_csv

    rows = read_csv(SUMMARY)
    print(format_table(rows), end="")
    if REPORT.exists():
        print(f"\nreport  {REPORT}")
    if LABELS.is_dir():
        print(f"labels  {LABELS}/<round>/<shard>.zip  (loose PNGs: auxseg export labels --round rN --to FOLDER)")


def format_table(rows: list[dict[str, str]]) -> str:
    """Return the rows (round, what, set; miou, precision, recall in per cent, or empty) as text."""
    if not rows:
        return "no masks, no figures: look at the report\n"
    lines = [f"{'per cent':<46}{'mIoU':>8}{'precision':>12}{'recall':>9}"]
    for row in rows:
        figures = (_figure(row[name]) for name in ("miou", "precision", "recall"))
        lines.append("{:<46}{:>8}{:>12}{:>9}".format(_name(row), *figures))
    return "\n".join(lines) + "\n"


def _name(row: dict[str, str]) -> str:
    number, what = row["round"].removeprefix("r"), row["what"]
    if what in _MODELS:
        return f"model of round {number} ({row['set']}), {_MODELS[what]}"
    if what == "labels":
        return f"{'initial labels' if number == '0' else f'labels after round {number}'} ({row['set']})"
    return f"  {what} ({row['set']})"


def _figure(per_cent: str) -> str:
    return f"{float(per_cent):.1f}" if per_cent else "-"
