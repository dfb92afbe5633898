"""`auxseg check --data` and `prepare.py --report`: all problems of a data set at once, by the checks of `prepare`."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import test_bad_input
import yaml
from builders import lines, mask, photo
from tiny import PARAMS, ROOT

from auxseg.cli.main import main
from auxseg.datasets import problems as kinds
from auxseg.datasets.prepare import CONTRADICTIONS, report
from auxseg.params.data import DataParams

VOC = {"format": "voc", "classes": test_bad_input.CLASSES}
FOLDER = {"format": "folder", "classes": ["cat", "dog"], "folder": {"images": "photos", "masks": "masks"}}


@pytest.fixture(autouse=True)
def _one_process(monkeypatch):
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder of images with a CSV; rows of images 0 to 29, all of cats, in train."""
    root = tmp_path / "raw"
    for number in range(30):
        photo(root / f"photos/{number}.jpg", size=(6 + number, 4))
    mask(root / "masks/0.png", (1,))
    table(root)
    monkeypatch.setenv("AUXSEG_DATA", str(root))
    return root


def table(root: Path, **changed: str) -> None:
    """Write the CSV; `changed` has other labels of some images, `i<number>` -> the cell."""
    rows = [f"{number},{changed.get(f'i{number}', 'cat')}" for number in range(30)]
    lines(root / "image_labels.csv", "image_id,labels", *rows)


def found(data: dict) -> dict[tuple[str, str], list[str]]:
    return report(DataParams.parse(data)).found


@pytest.mark.parametrize("case", test_bad_input.CASES)
def test_the_report_has_the_line_of_prepare(voc, monkeypatch, case):
    spoil, expected = test_bad_input.CASES[case]
    monkeypatch.setenv("AUXSEG_DATA", str(voc))
    spoil(voc)
    errors = [line for (level, _), many in found(VOC).items() if level == "error" for line in many]
    assert any(all(part in line for part in expected) for line in errors), errors


def test_problems_of_every_kind_are_found_at_once(folder):
    photo(folder / "photos/3.png")
    (folder / "photos/5.jpg").write_bytes(b"")
    (folder / "photos/6.jpg").write_text("<html>")
    mask(folder / "masks/8.png", (7,), size=(14, 4))
    mask(folder / "masks/9.png", (2,), size=(6, 4))
    mask(folder / "masks/10.png", (2,), size=(16, 4))
    table(folder, i1="[[1]]", i2="cta")
    with (folder / "image_labels.csv").open("a") as stream:
        stream.write("4,dog\n31\n")
    everything = found(FOLDER)
    errors = {kind: many for (level, kind), many in everything.items() if level == "error"}
    assert [line.split(": ")[0].rsplit(" ", 1)[-1] for line in errors[kinds.ROWS]] == ["33", "3", "32"]
    assert [("'2'" in line, "'cta'" in line) for line in errors["images whose labels cannot be used"]] == [(True, True)]
    assert ["3.jpg and 3.png" in line for line in errors[kinds.LISTED]] == [True]
    names = [Path(line.split(": ")[0]).name for line in errors[kinds.FILES]]
    assert names == ["5.jpg", "6.jpg", "8.png", "9.png"]
    assert [line.split(":")[0] for line in everything["warning", CONTRADICTIONS]] == ["'10' (train)"]


def test_ten_of_a_kind_and_the_number_of_all(folder, tmp_path, monkeypatch, capsys):
    for number in range(1, 13):
        (folder / f"photos/{number}.jpg").write_bytes(b"")
    make_project(tmp_path, monkeypatch, FOLDER)
    assert main(["check", "--data", "--json", "report.json"]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"error        12  {kinds.FILES}"
    assert (
        "/1.jpg: not a readable image (JPEG, " in printed[1] and "), but an empty file; replace the file" in printed[1]
    )
    assert printed[2].strip() == f"and 11 more alike: {', '.join(f'{number}.jpg' for number in range(2, 11))}, …"
    assert not printed[3].startswith(" ")
    assert printed[-1].startswith("12 errors, ")
    values = json.loads(Path("report.json").read_text())
    assert values["errors"] == 12
    assert values["kinds"][0]["kind"] == kinds.FILES and values["kinds"][0]["count"] == 12
    first = [Path(line.split(": ")[0]).name for line in values["kinds"][0]["first"]]
    assert first == [f"{number}.jpg" for number in range(1, 11)]


def test_what_says_the_same_is_one_line_and_hides_nothing_else(folder, tmp_path, monkeypatch, capsys):
    for number in range(1, 13):
        (folder / f"photos/{number}.jpg").write_bytes(b"")
    mask(folder / "masks/20.png", (7,), size=(26, 4))
    mask(folder / "masks/21.png", (9,), size=(27, 4))
    mask(folder / "masks/22.png", (1,), size=(6, 4))
    table(folder, i23="cta", i24="dgo", i25="dgo")
    make_project(tmp_path, monkeypatch, FOLDER)
    assert main(["check", "--data", "--json", "report.json"]) == 1
    printed = [line.strip() for line in capsys.readouterr().out.splitlines()]
    files = printed[printed.index(f"error        15  {kinds.FILES}") :]
    assert [line.split(": ")[0].rpartition("/")[2] for line in files[1:6]] == [
        "1.jpg",
        "and 11 more alike",
        "20.png",
        "and 1 more alike",
        "22.png",
    ]
    assert files[4] == "and 1 more alike: 21.png (9)"
    assert "line 25: label 'cta' of '23' is not a known class" in printed[1]
    assert printed[2] == "and 2 more alike: line 26 ('dgo', '24', 'dog'), line 27 ('dgo', '25', 'dog')"
    (files_kind,) = [
        kind for kind in json.loads(Path("report.json").read_text())["kinds"] if kind["kind"] == kinds.FILES
    ]
    assert len(files_kind["first"]) == 13 and files_kind["count"] == 15


def test_a_label_that_is_wrong_is_not_called_an_empty_one(folder):
    table(folder, i1="cta")
    assert not [line for line in found(FOLDER)["warning", "notes on the data set"] if "no label" in line]


@pytest.mark.parametrize("case", test_bad_input.CASES)
def test_every_line_says_what_to_do(voc, monkeypatch, case):
    monkeypatch.setenv("AUXSEG_DATA", str(voc))
    shutil.copy(voc / "JPEGImages/c.jpg", voc / "JPEGImages/b.jpg")
    test_bad_input.CASES[case][0](voc)
    without = [line for many in found(VOC).values() for line in many if "; " not in line]
    assert without == []


def test_warnings_alone_are_no_failure(folder, tmp_path, monkeypatch, capsys):
    make_project(tmp_path, monkeypatch, FOLDER)
    assert main(["check", "--data"]) == 0
    lines_ = capsys.readouterr().out.splitlines()
    assert lines_[0].startswith("warning ") and lines_[0].endswith("notes on the data set")
    assert lines_[-2].startswith("0 errors, ") and lines_[-1] == "next: auxseg scan"


def test_json_needs_data(tmp_path, monkeypatch, capsys):
    make_project(tmp_path, monkeypatch, FOLDER)
    assert main(["check", "--json", "a.json"]) == 2
    assert capsys.readouterr().err.startswith("error: --json: only with --data")


def test_contradictions_are_listed_one_by_one(voc, monkeypatch):
    lines(voc / "image_labels.csv", "image_id,labels", "a,cat", "b,cat", "c,dog")
    monkeypatch.setenv("AUXSEG_DATA", str(voc))
    assert found(VOC)["warning", CONTRADICTIONS] == [
        "'b' (train): its mask shows 'dog' without a label; correct the label or the mask"
    ]


def test_each_damaged_annotation_is_found(tmp_path, monkeypatch):
    root = tmp_path / "raw"
    for name in "abcd":
        photo(root / f"{name}.jpg")
        shape = {"label": "cat", "shape_type": "rectangle", "points": [[0, 0], [2, 2]]}
        shapes = [shape] if name in "ad" else [{"points": []}]
        content = {"imagePath": f"{name}.jpg", "shapes": shapes, "imageHeight": 4, "imageWidth": 6}
        lines(root / f"{name}.json", json.dumps(content))
    monkeypatch.setenv("AUXSEG_DATA", str(root))
    names = [Path(line.split(": ")[0]).name for line in found({"format": "labelme"})["error", kinds.ANNOTATIONS]]
    assert names == ["b.json", "c.json"]


def test_the_script_of_prepare_writes_the_report_and_no_artifact(voc, project):
    (voc / "JPEGImages/a.jpg").write_bytes(b"")
    (voc / "JPEGImages/b.jpg").write_bytes(b"")
    scratch = project(voc)
    (scratch.root / "params.yaml").write_text(yaml.safe_dump({**PARAMS, "data": VOC}))
    done = subprocess.run(
        [sys.executable, "workflow/stages/prepare.py", "--report", "--json", "report.json"],
        cwd=scratch.root,
        env={**os.environ, "AUXSEG_DATA": str(voc)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith(f"error         2  {kinds.FILES}\n")
    assert json.loads((scratch.root / "report.json").read_text())["errors"] == 2
    assert scratch.outputs() == {}


def make_project(folder: Path, monkeypatch: pytest.MonkeyPatch, data: dict) -> None:
    """Make `folder` a project with a `data` section, and the current folder."""
    (folder / "params.yaml").write_text(yaml.safe_dump({**PARAMS, "data": data}))
    (folder / "dvc.yaml").write_text((ROOT / "dvc.yaml").read_text())
    monkeypatch.chdir(folder)
