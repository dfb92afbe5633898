"""The pages in Markdown: the README's length and its Python, and every link to a file or heading of this project."""

import re
from pathlib import Path

import numpy as np
import pytest

from auxseg.artifacts.archive import write_archive
from auxseg.artifacts.tables import write_rows
from auxseg.encoded import encode_label

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("[a-z]*/*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def test_the_readme_has_at_most_1000_words():
    assert len(README.read_text().split()) <= 1000


def test_the_readmes_python_loads_a_finished_run(tmp_path, monkeypatch):
    """On artifacts written as the stages `labels` and `summary` write them."""
    label = np.array([[0, 1, 255], [2, 2, 0]], np.uint8)
    write_archive(tmp_path / "data/labels/r2/00.zip", {"a.png": encode_label(label)})
    figures = {"round": "r2", "what": "labels", "set": "train", "miou": "62.3", "precision": "80.5", "recall": "73.8"}
    (tmp_path / "data/summary").mkdir()
    write_rows(tmp_path / "data/summary/rounds.csv", [figures])
    (code,) = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    exec(code, found)
    assert found["figures"].loc[0, "miou"] == 62.3
    assert list(found["arrays"]) == ["a.png"]
    np.testing.assert_array_equal(found["arrays"]["a.png"], label)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings(page):
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page: those that GitHub gives to its headings, and its own `<a id>`."""
    text = FENCE.sub("", page.read_text())
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", LINK.sub(lambda match: match[0][1:].partition("]")[0], one)) for one in headings)
    return {one.strip().lower().replace(" ", "-") for one in plain} | set(re.findall(r'<a id="([^"]+)">', text))
