"""The report as a reader's browser gets it: pages parsed, pictures decoded."""

import hashlib
import os
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from report_data import CLASSES, GREY, ODD_ID, make, sources

from auxseg.audit import report
from auxseg.audit.panels import panel_left
from auxseg.audit.report import write_report
from auxseg.audit.sources import list_rounds, spread
from auxseg.datasets.manifest import read_manifest
from auxseg.errors import DataError
from auxseg.images import PALETTE
from auxseg.params.audit import AuditParams

PROJECT = Path(__file__).resolve().parents[2]


class Page(HTMLParser):
    """Tags with their attributes, and the text inside h3, th and td."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.text, self._open = [], {"h3": [], "th": [], "td": []}, None
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag in self.text:
            self._open = tag
            self.text[tag].append("")

    def handle_endtag(self, tag):
        self._open = None if tag == self._open else self._open

    def handle_data(self, data):
        if self._open:
            self.text[self._open][-1] += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def write(work, images=100, serial=True, folder="audit"):
    records = read_manifest(work / "data/manifest")
    with pytest.MonkeyPatch.context() as patch:
        if serial:  # the same function, without the price of starting processes
            patch.setattr(report, "map_processes", lambda function, items, label: [function(i) for i in items])
        write_report(work / folder, sources(work), records, work / "data/summary", AuditParams(images=images))
    return work / folder


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audit")
    make(folder)
    write(folder)
    return folder


PAGES = ["index.html", "r0.html", "r1.html", "r2.html", "r1-val.html", "r2-val.html"]


def test_pages_and_pictures(work):
    assert sorted(path.name for path in (work / "audit").glob("*.html")) == sorted(PAGES)
    assert len(list((work / "audit").rglob("*.jpg"))) == 3 * 5 + 2 * 3  # one a row
    assert not list(work.rglob(".tmp-*"))


@pytest.mark.parametrize("name", PAGES)
def test_links_and_pictures_are_on_disk_and_nothing_else_is_asked_for(work, name):
    page = Page(work / "audit" / name)
    links = [a["href"] for a in page.all("a")] + [i["src"] for i in page.all("img")]
    for link in links:
        path, _, anchor = link.partition("#")
        target = work / "audit" / (path or name)
        assert "//" not in link and target.is_file()
        if anchor:
            assert any(attributes.get("id") == anchor for _, attributes in Page(target).tags)
    assert not page.all("script") and not page.all("link") and not page.all("iframe")
    text = (work / "audit" / name).read_text()
    assert "http:" not in text and "https:" not in text and "url(" not in text
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy and "http" not in policy
    for image in page.all("img"):
        with Image.open(work / "audit" / image["src"]) as picture:
            assert picture.size == (int(image["width"]), int(image["height"]))
        assert image["alt"]
    assert all(header.get("scope") in ("col", "row") for header in page.all("th"))


@pytest.mark.parametrize(("name", "split"), [("r0.html", "train"), ("r2.html", "train"), ("r1-val.html", "val")])
def test_every_image_is_listed_as_text(work, name, split):
    ids = [record.id for record in read_manifest(work / "data/manifest", split)]
    assert Page(work / "audit" / name).text["h3"] == ids
    if split == "train":
        assert ODD_ID in ids and "<script" not in (work / "audit" / name).read_text()


def test_result_tables(work):
    page = Page(work / "audit/index.html")
    assert page.text["td"][:5] == ["pseudo labels", "train", "40.0", "80.2", "-"]
    assert CLASSES.names[1] in page.text["th"]  # escaped: a class name is no markup
    assert page.text["td"].count("12.3") == 5 * 3


def panel(work, page, caption):
    """Return one decoded panel, int (60, 90, 3), of the first row of a page."""
    text = Page(work / "audit" / f"{page}.html")
    image = text.all("img")[0]
    captions = image["alt"].split("left to right: ")[1].split(", ")
    left = panel_left(captions.index(caption), 90) if caption in captions else None
    if left is None:
        return None
    with Image.open(work / "audit" / image["src"]) as picture:
        return np.asarray(picture.convert("RGB"))[:, left : left + 90].astype(int)


@pytest.mark.parametrize(
    ("page", "caption"),
    [
        ("r0", "pseudo label"),
        ("r2", "pseudo label"),
        ("r1", "mask"),
        ("r2-val", "final prediction"),
        ("r1-val", "mask"),
    ],
)  # fmt: skip
def test_label_panels_in_their_place(work, page, caption):
    found = panel(work, page, caption)
    assert np.abs(found[30, 15] - (0.3 * GREY + 0.7 * PALETTE[1])).max() < 6
    assert np.abs(found[30, 45] - (0.45 * GREY + 0.55 * 255)).max() < 6
    hatch = found[5:55, 65:85, 0]
    assert np.percentile(hatch, 90) - np.percentile(hatch, 10) > 120  # visible, whatever lies below


def test_other_panels(work):
    assert np.abs(panel(work, "r0", "photo") - GREY).max() < 4
    assert np.abs(panel(work, "r0", "saliency prior") - 128).max() < 4
    assert np.abs(panel(work, "r1", "prediction")[30, 15] - (0.3 * GREY + 0.7 * PALETTE[1])).max() < 6
    assert panel(work, "r0", "CAM") is not None and panel(work, "r0", "refined CAM") is None
    assert panel(work, "r1", "refined CAM") is not None and panel(work, "r0", "prediction") is None


def test_neighbours_and_notes(work):
    text = (work / "audit/r1.html").read_text()
    assert 'href="r0.html#i' in text and 'href="r2.html#i' in text
    assert "ignored 33.3 %" in text and "not in the label: &lt;b&gt;dog&lt;/b&gt;" in text


def test_same_bytes_from_worker_processes(work):
    assert digest(write(work, serial=False, folder="again")) == digest(work / "audit")


def test_without_masks_and_val(tmp_path):
    make(tmp_path, rounds=1, train=4, val=0, masks=False)
    folder = write(tmp_path)
    assert sorted(path.name for path in folder.glob("*.html")) == ["index.html", "r0.html", "r1.html"]
    assert "no masks" in (folder / "index.html").read_text()
    assert "mask" not in Page(folder / "r1.html").all("img")[0]["alt"]


def test_the_same_images_in_every_round(tmp_path):
    make(tmp_path, rounds=1, train=9)
    folder = write(tmp_path, images=3)
    rows = [Page(folder / name).text["h3"] for name in ("r0.html", "r1.html")]
    assert rows[0] == rows[1] == [ODD_ID, "t002", "t005"]
    records = read_manifest(tmp_path / "data/manifest", "train")
    assert spread(records, 100) == records and len({r.id for r in spread(records, 8)}) == 8


def test_removed_rounds_are_not_shown(tmp_path):
    make(tmp_path, rounds=2)
    table = tmp_path / "data/summary/rounds.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(line for line in lines if not line.startswith("r2")))
    assert list_rounds(table, tmp_path / "data/labels") == ["r0", "r1"]
    table.write_text(lines[0] + next(line for line in lines if line.startswith("r1,model")))  # only val has masks
    assert list_rounds(table, tmp_path / "data/labels") == ["r0", "r1"]


def test_a_missing_shard_is_named_and_the_old_report_stays(tmp_path):
    make(tmp_path, rounds=1)
    before = digest(write(tmp_path))
    (tmp_path / "data/labels/r1/01.zip").unlink()
    with pytest.raises(DataError, match=r"labels/r1/01\.zip: missing"):
        write(tmp_path)
    assert digest(tmp_path / "audit") == before


def test_the_stage_as_a_program(tmp_path):
    make(tmp_path)
    shutil.copy(PROJECT / "dvc.yaml", tmp_path)
    values = yaml.safe_load((PROJECT / "params.yaml").read_text())
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values | {"audit": {"images": 2}}))
    done = subprocess.run(
        [sys.executable, PROJECT / "workflow/stages/audit.py"], cwd=tmp_path, capture_output=True, text=True,
        env=os.environ | {"AUXSEG_DATA": str(tmp_path / "raw")}, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert digest(tmp_path / "data/audit") == digest(write(tmp_path, images=2))
