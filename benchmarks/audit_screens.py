"""Draw the screenshots of docs/audit.md from a finished report, in headless chromium.

    python benchmarks/audit_screens.py --report data/audit --image ID

Writes docs/images/audit-{gallery,viewer}.png.
"""

import argparse
from pathlib import Path
from urllib.parse import urlencode

from browser import chromium
from playwright.sync_api import Page

IMAGES = Path(__file__).resolve().parents[1] / "docs/images"
PANELS = ("photo", "prior", "cam", "saliency", "label", "prediction", "change", "mask")


def main() -> None:
    """Draw both pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--report", type=Path, default=Path("data/audit"))
    parser.add_argument("--image", required=True, metavar="ID", help="training image that the viewer shows")
    parser.add_argument("--pixel", default="90,90", metavar="X,Y")
    arguments = parser.parse_args()
    address = (arguments.report / "index.html").resolve().as_uri()
    thumbs = ("photo", "cam", "label", "mask")
    gallery = [("sort", "-missing"), ("sort", "-ignored"), *(("thumbs", kind) for kind in thumbs)]
    viewer = [("image", arguments.image), ("pixel", arguments.pixel), *(("panels", kind) for kind in PANELS)]
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1360, "height": 860}, color_scheme="dark")
        _draw(page, address, gallery, ".card", IMAGES / "audit-gallery.png")
        _draw(page, address, viewer, "#pixel-rows tr", IMAGES / "audit-viewer.png")


def _draw(page: Page, address: str, view: list[tuple[str, str]], wanted: str, path: Path) -> None:
    page.goto("about:blank")
    page.goto(f"{address}#{urlencode(view)}")
    page.wait_for_selector("body[data-ready]")
    page.wait_for_selector(wanted)
    page.wait_for_timeout(1000)  # thumbnails are decoded beside the page
    page.screenshot(path=path)


if __name__ == "__main__":
    main()
