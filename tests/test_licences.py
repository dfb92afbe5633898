"""docs/licences.md names every pinned package, and how tools/licences.py finds a licence."""

import re
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def licences(load_script):
    return load_script("tools/licences.py")


def test_the_page_lists_every_pinned_package(licences):
    rows = re.findall(r"^\| ([\w.-]+) \| (.+) \|$", licences.PAGE.read_text(), re.MULTILINE)
    assert {name for name, _ in rows} - {"package"} == {
        name for lock in licences.LOCKS for name in licences.pinned(ROOT / lock)
    }
    assert dict(rows)["numpy"].startswith("BSD")
    assert "BSD-3-Clause" in dict(rows)["torch"]


@pytest.mark.parametrize(
    ("lines", "file", "expected"),
    [
        (["License-Expression: MIT", "License: all of it"], "", "MIT"),
        (["Classifier: License :: OSI Approved :: MIT License", "License: x"], "", "MIT License"),
        (["Classifier: License :: OSI Approved", "License: BSD"], "", "BSD"),
        ([], "\nApache License\nVersion 2.0", "Apache License"),
        ([], "", "unknown"),
    ],
)
def test_a_licence_is_what_the_package_declares(licences, tmp_path, lines, file, expected):
    folder = tmp_path / "a-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", "Name: a", "Version: 1", *lines, ""]))
    (folder / "LICENSE").write_text(file)
    (folder / "RECORD").write_text("a-1.dist-info/METADATA,,\na-1.dist-info/LICENSE,,\n")
    assert licences.declared(PathDistribution(folder)) == expected


def test_licences_with_duties_are_listed_first(licences):
    text = licences.PAGE.read_text()
    first = text[: text.index("## What the pipeline needs")]
    assert "| pygit2 | GPLv2" in first and "| numpy |" not in first
