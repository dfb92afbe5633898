"""`auxseg table`: the figures of every round, and where to look at the rest."""

import argparse
from pathlib import Path

SUMMARY = Path("data/summary/rounds.csv")
REPORT = Path("data/audit/index.html")
LABELS = Path("data/labels")

_WHAT = {"labels": 0, "model": 1, "model+crf": 2}
"""Order of the rows of one round."""


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
        print(f"labels  {LABELS}/<round>/<shard>.zip  (loose PNGs: auxseg labels export --round rN --to FOLDER)")


def format_table(rows: list[dict[str, str]]) -> str:
    """Return the rows (round, what, miou, precision, recall: shares of 1, or empty) as text, in percent."""
    ordered = sorted(rows, key=lambda row: (int(row["round"].removeprefix("r")), _WHAT.get(row["what"], 9)))
    lines = [f"{'':<42}{'mIoU':>8}{'precision':>12}{'recall':>9}"]
    for row in ordered:
        figures = (_percent(row.get(name, "")) for name in ("miou", "precision", "recall"))
        lines.append("{:<42}{:>8}{:>12}{:>9}".format(_name(row), *figures))
    return "\n".join(lines) + "\n"


def _name(row: dict[str, str]) -> str:
    number = row["round"].removeprefix("r")
    if row["what"] == "labels":
        return "initial labels (train)" if number == "0" else f"labels after round {number} (train)"
    suffix = {"model": "", "model+crf": ", multi-scale + CRF"}.get(row["what"], f", {row['what']}")
    return f"model of round {number} (val){suffix}"


def _percent(share: str | None) -> str:
    return f"{100 * float(share):.1f}" if share else "-"
