"""Fill the tables of docs/performance.md from the CSVs of this folder.

    python benchmarks/performance/report.py

A table stands between `<!-- table NAME -->` and `<!-- end -->`; everything around it is written by hand.
"""

import re
from pathlib import Path

from timing import RESULTS

from auxseg.artifacts.tables import read_csv

PAGE = Path(__file__).resolve().parents[2] / "docs/performance.md"
TABLES: dict[str, dict[str, str]] = {
    "floors": {"what": "what", "rate": "rate", "unit": "unit"},
    "steps": {
        "backbone": "backbone",
        "variant": "variant",
        "batch": "batch",
        "crop": "crop",
        "seconds": "seconds a step",
        "images_per_second": "images/s",
        "peak_mb": "peak, MB",
        "ratio": "ratio",
    },
    "startup": {"program": "program", "seconds": "seconds", "cpu_seconds": "CPU seconds"},
    "sharing": {
        "setting": "threads wait",
        "seconds_alone": "seconds a step alone",
        "seconds_beside": "beside another",
        "alone": "ratio alone",
        "beside": "ratio beside",
    },
    "stages": {
        "stage": "stage",
        "seconds_before": "seconds before",
        "seconds": "now",
        "ratio": "ratio",
        "cpu_before": "CPU seconds before",
        "cpu": "now",
        "cpu_ratio": "ratio",
    },
    "large_images": {
        "height": "height",
        "width": "width",
        "positions": "positions",
        "affinities": "affinities",
        "kernel": "fusion kernel",
        "seconds": "seconds",
        "peak_mb": "peak, MB",
    },
    "crf_classes": {
        "labels": "labels",
        "least": "`crf_least`",
        "taking_part": "taking part",
        "miou": "mIoU",
        "changed_pixels_percent": "changed pixels, per cent",
        "cpu_seconds_per_image": "CPU seconds an image",
        "ratio": "ratio",
    },
}
"""Name of a CSV -> its columns that are shown, and what they are called."""


def main() -> None:
    """Write the page with its tables as the CSVs are now."""
    PAGE.write_text(filled(PAGE.read_text()))


def filled(text: str) -> str:
    """Return the text of a page with its tables filled."""
    return re.sub(
        r"(<!-- table (\w+) -->\n).*?(<!-- end -->)",
        lambda found: found[1] + table(found[2], TABLES[found[2]], RESULTS) + found[3],
        text,
        flags=re.DOTALL,
    )


def table(name: str, columns: dict[str, str], folder: Path) -> str:
    """Return a CSV as a table in Markdown, below the line that says where it was measured."""
    rows = read_csv(folder / f"{name}.csv")
    machines = sorted({f"{row['machine']}, {row['threads']} threads, torch {row['torch']}" for row in rows})
    lines = [f"{'; '.join(machines)}:", "", f"| {' | '.join(columns.values())} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(row[column] for column in columns)} |" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
