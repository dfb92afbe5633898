"""Reject the first images of a ranking as a reviewer would: in the report, by keyboard, in headless chromium.

    python benchmarks/audit_rejections.py --report data/audit --round r1 --count 10 --to verdicts.csv

The gallery opens sorted by ignored share; the keys `r` and right arrow go through the first images; `e` exports. Then
run `auxseg verdicts import verdicts.csv` and `dvc repro` (docs/audit.md).
"""

import argparse
from pathlib import Path

from browser import chromium


def main() -> None:
    """Write the exported verdicts and print the ids."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--report", type=Path, default=Path("data/audit"))
    parser.add_argument("--round", default="r1")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--to", type=Path, default=Path("verdicts.csv"))
    arguments = parser.parse_args()
    address = (arguments.report / "index.html").resolve().as_uri()
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1360, "height": 860}, accept_downloads=True)
        page.goto(f"{address}#round={arguments.round}&sort=-ignored")
        page.wait_for_selector("body[data-ready]")
        page.locator(".card").first.focus()
        for _ in range(arguments.count):
            page.keyboard.press("r")
            page.keyboard.press("ArrowRight")
        with page.expect_download() as download:
            page.keyboard.press("e")
        download.value.save_as(arguments.to)
    print(arguments.to.read_text(), end="")


if __name__ == "__main__":
    main()
