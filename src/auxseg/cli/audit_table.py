"""`auxseg audit table`: one figure of every class, rounds side by side."""

import argparse
from collections.abc import Sequence

from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import read_csv
from auxseg.cli.next_step import require_result

FIGURES = ("iou", "precision", "recall", "ignore_share", "share", "pixels", "images", "components")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the figure."""
    parser.add_argument("figure", nargs="?", default="iou", choices=FIGURES, help="default: iou")


def run(arguments: argparse.Namespace) -> None:
    """Print the figure; shares and scores are in per cent."""
    table = Store().table("labels.csv")
    require_result(table)
    print(format_table(read_csv(table), arguments.figure), end="")


def format_table(rows: Sequence[dict[str, str]], figure: str) -> str:
    """Return one line for every class, one column for every round; a dash where there is no figure."""
    rounds = list(dict.fromkeys(row["round"] for row in rows))
    figures = {(row["class"], row["round"]): row[figure] for row in rows}
    classes = list(dict.fromkeys(row["class"] for row in rows))
    width = max(map(len, [figure, *classes])) + 2
    lines = [figure.ljust(width) + "".join(f"{name:>12}" for name in rounds)]
    for name in classes:
        cells = (_cell(figures.get((name, round_name), "")) for round_name in rounds)
        lines.append(name.ljust(width) + "".join(f"{cell:>12}" for cell in cells))
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    if not text:
        return "-"
    return text if text.isdecimal() else f"{float(text):.1f}"
