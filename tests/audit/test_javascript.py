"""The types that the report's JavaScript is checked against, against what Python writes and the page contains."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_data import make
from report_reader import read_script, write

from auxseg.audit.chunks import KINDS
from auxseg.audit.figures import FIGURES
from auxseg.audit.pages import SCRIPTS
from auxseg.audit.report import APP
from auxseg.review.verdicts import COLUMNS, VERDICTS

PROJECT = Path(__file__).resolve().parents[2]
TYPES = {path.stem: path.read_text() for path in (PROJECT / "tools/javascript/types").glob("*.d.ts")}
DATA, APP_TYPES, IDS = TYPES["data.d"], TYPES["app.d"], TYPES["ids.d"]


def keys(text, name):
    """Return the keys of an interface."""
    body = re.search(rf"^interface {name} {{\n(.*?)^}}", text, re.MULTILINE | re.DOTALL).group(1)
    return set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE))


def union(text, name):
    """Return the texts of a union type."""
    return re.findall(r'"(\w+)"', re.search(rf"^type {name} =(.*?);", text, re.MULTILINE | re.DOTALL).group(1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    work = tmp_path_factory.mktemp("types")
    make(work, rounds=1, train=2, val=1)
    return write(work)


def test_types_of_the_index(folder):
    base = read_script(folder / "index/base.js")
    assert set(base) == keys(DATA, "BaseIndex")
    assert set(base["records"]["train"]) == keys(DATA, "Records")
    assert set(base["figures"][0]) == keys(DATA, "Figure")
    assert set(base["rule"]) >= keys(DATA, "FusionRule")  # the page needs only some of the parameters
    assert set(base["provenance"]) == keys(DATA, "Provenance")
    assert set(base["provenance"]["origins"][0]) == keys(DATA, "Origin")
    assert set(read_script(folder / "index/r1-train.js")) == keys(DATA, "RoundIndex")


def test_types_of_a_chunk(folder):
    image = read_script(folder / "images/00000.js")[0]
    assert set(image) == keys(DATA, "StoredImage")
    for stored in image["rounds"].values():
        assert set(stored) == keys(DATA, "StoredRound")
        assert set(stored["cam"]) == keys(DATA, "StoredMap")


def test_types_of_words():
    assert union(DATA, "Kind") == list(KINDS)
    assert {figure.unit for figure in FIGURES} < set(union(DATA, "Unit"))
    assert set(union(APP_TYPES, "Verdict")) == set(VERDICTS)
    assert keys(APP_TYPES, "VerdictRow") == set(COLUMNS)


def test_ids_of_the_page():
    """A part of the page that is looked up by id exists, and is the element that the type says."""
    found = {}

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if "id" in dict(attrs):
                found[dict(attrs)["id"]] = tag

    Reader().feed((APP.parent / "templates/index.html").read_text())
    assert dict(re.findall(r'^  "?([a-z-]+)"?: "(\w+)";$', IDS, re.MULTILINE)) == found


def test_every_script_is_part_of_a_page():
    assert {path.name for path in APP.glob("*.js")} == {*SCRIPTS, "tables.js"}
