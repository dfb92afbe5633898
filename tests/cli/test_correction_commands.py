"""`auxseg corrections export` and `import`, in a small project: round r1 has the labels of the images a and d."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from correction_project import FOLDER, OTHER, draw, export, make_project, rows, take
from PIL import Image
from small_project import CLASSES, RECORD

from auxseg.artifacts.archive import Archive, write_archive
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.cli.corrections_export import read_ids
from auxseg.cli.main import main
from auxseg.errors import DataError
from auxseg.params.review import ReviewParams
from auxseg.review.corrections import corrected_labels
from auxseg.review.verdicts import label_hashes

UNCHANGED = "next: nothing has changed in out; give the file or folder that the annotation tool exported"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    make_project(tmp_path, monkeypatch)


def test_a_polygon_drawn_in_labelme_becomes_a_correction(capsys):
    assert export() == 0
    assert (
        "2 labels of r1 in out, in the report's order, smallest 'expected_iou' first: d, a" in capsys.readouterr().out
    )
    assert {path.name for path in Path("out").iterdir()} == {
        *(f"{key}.{end}" for key in "ad" for end in ("json", "jpg")),
        "exported.csv",
        "labels.txt",
    }
    assert Image.open("out/a.jpg").size == (24, 16)
    draw()
    assert take("out", "--reviewer", "ann") == 0
    out = capsys.readouterr().out
    assert "review/corrections/corrections.csv: 1 label of r1, 1 new, 0 changed\n" in out
    assert "as exported, so not counted as corrected: 1 of 2: d\n" in out
    (row,) = rows()
    assert (row["image_id"], row["round"], row["source"], row["reviewer"]) == ("a", "r1", "labelme", "ann")
    label = np.asarray(Image.open(FOLDER / "r1/a.png"))
    assert label[0, :10].tolist() == [1] * 10 and {0, 1, 2} == set(np.unique(label))


def test_a_second_import_changes_nothing_and_another_drawing_does(capsys):
    assert export("--tolerance", "0") == 0
    draw()
    assert take("out/a.json") == 0
    table = (FOLDER / "corrections.csv").read_text().replace(rows()[0]["date"], "2026-01-01T00:00:00Z")
    (FOLDER / "corrections.csv").write_text(table)
    assert take() == 0
    assert (FOLDER / "corrections.csv").read_text() == table
    draw(label="__ignore__")
    assert take() == 0
    assert capsys.readouterr().out.count("1 label of r1, 0 new, 1 changed") == 1
    assert np.asarray(Image.open(FOLDER / "r1/a.png"))[0, :10].tolist() == [255] * 10


@pytest.mark.parametrize("format_", ["labelme", "cvat"])
def test_what_nobody_has_touched_is_not_counted(format_, capsys):
    assert export("--format", format_) == 0
    assert take() == 0
    out = capsys.readouterr().out
    assert "as exported, so not counted as corrected: 2 of 2" in out and out.splitlines()[-1] == UNCHANGED
    assert rows() == [] and not (FOLDER / "r1").exists()


def test_a_restored_label_takes_its_correction_back(capsys):
    assert export() == 0
    before = Path("out/a.json").read_bytes()
    draw()
    assert take() == 0
    Path("out/a.json").write_bytes(before)
    capsys.readouterr()
    assert take() == 0
    out = capsys.readouterr().out
    assert "corrections.csv: 0 labels of r1, 0 new, 0 changed, 1 taken back: a\n" in out
    assert "next: git add review/corrections" in out
    assert rows() == [] and not (FOLDER / "r1").exists()
    assert take() == 0
    assert capsys.readouterr().out.splitlines()[-1] == UNCHANGED


def test_an_untouched_label_leaves_anothers_correction(capsys):
    assert export() == 0 and export(to="mine") == 0
    draw("mine/a.json")
    assert take("mine") == 0
    assert take() == 0
    assert [row["image_id"] for row in rows()] == ["a"]
    Path("ids.txt").write_text("a\n")
    assert main(["corrections", "export", "--round", "r1", "--images", "ids.txt", "--to", "again"]) == 0
    exported, label = Path("again/a.json").read_bytes(), (FOLDER / "r1/a.png").read_bytes()
    assert take("again") == 0 and (FOLDER / "r1/a.png").read_bytes() == label
    draw("again/a.json", "dog", ((0, 8), (20, 8), (20, 15)))
    assert take("again") == 0 and (FOLDER / "r1/a.png").read_bytes() != label
    Path("again/a.json").write_bytes(exported)  # the correction, not the pseudo label
    assert take("again") == 0
    assert [row["image_id"] for row in rows()] == ["a"]


def test_the_last_rounds_corrections_train_nothing(capsys):
    assert export() == 0
    draw()
    assert take() == 0
    warning = "warning: no round is trained on labels of r1; `auxseg rounds 2` adds one\n"
    assert warning in capsys.readouterr().out
    params = yaml.safe_load(Path("params.yaml").read_text())
    more = {"rounds": {"r1": "r0", "r2": "r1"}, "label_rounds": ["r0", "r1", "r2"]}
    Path("params.yaml").write_text(yaml.safe_dump({**params, **more}))
    draw()
    assert take() == 0
    assert "warning" not in capsys.readouterr().out


def test_without_the_exports_table_the_pixels_tell(capsys):
    assert export("--tolerance", "0") == 0
    Path("out/exported.csv").unlink()
    draw("out/d.json")
    assert take() == 0
    out = capsys.readouterr().out
    assert "as exported, so not counted as corrected: 1 of 2: a" in out
    assert "warning: no exported.csv in the folder of out or above it" in out
    assert [row["image_id"] for row in rows()] == ["d"]


def test_corrections_reach_the_labels_of_later_rounds():
    assert export() == 0
    draw("out/d.json", "dog")
    assert take() == 0
    arguments = (Store(), [RECORD, OTHER], CLASSES, ReviewParams())
    found = [corrected_labels(arguments[0], Round(number), *arguments[1:]) for number in range(3)]
    assert [list(labels) for labels in found] == [[], ["d"], ["d"]]


def test_corrected_labels_are_not_the_worst_any_more(capsys):
    assert export(worst="1") == 0
    draw("out/d.json")
    assert take() == 0
    assert export(worst="2", to="next") == 0
    assert "1 label of r1 in next" in capsys.readouterr().out
    Path("ids.txt").write_text("d\n\nd\n")
    command = ["corrections", "export", "--round", "r1", "--images", "ids.txt", "--tolerance", "0", "--to", "again"]
    assert main(command) == 0
    assert take("again") == 0  # as corrected, not as the pseudo label
    assert "as exported, so not counted as corrected: 1 of 1: d" in capsys.readouterr().out


def test_the_verdicts_of_the_report_choose():
    hashes = label_hashes([Path("data/labels/r1/00.zip")])
    header = "image_id,label_hash,round,verdict,drop_classes,note,reviewer,date\n"
    lines = [f"a,{hashes['a']},r1,reject,,,me,2026-01-01", f"d,{hashes['d']},r1,accept,,,me,2026-01-01"]
    Path("v.csv").write_text(header + "\n".join([*lines, f"d,{hashes['d']},r0,reject,,,me,2026-01-01"]) + "\n")
    assert main(["corrections", "export", "--round", "r1", "--images", "v.csv", "--to", "out"]) == 0
    assert {path.stem for path in Path("out").glob("*.json")} == {"a"}
    # d is accepted now: what was said of another label of it does not count
    Path("v.csv").write_text(header + "\n".join([*lines, f"d,{'0' * 64},r1,reject,,,me,2026-02-01"]) + "\n")
    assert main(["corrections", "export", "--round", "r1", "--images", "v.csv", "--to", "again"]) == 0
    assert {path.stem for path in Path("again").glob("*.json")} == {"a"}


def test_plain_ids_may_contain_the_word_of_the_header(tmp_path):
    (tmp_path / "ids.txt").write_text("image_id_1\nb\n")
    assert read_ids(tmp_path / "ids.txt", "r1", {}) == ["image_id_1", "b"]
    for separator in ";\t":
        (tmp_path / "ids.txt").write_text(f"image_id{separator}round\na{separator}r1\n")
        with pytest.raises(DataError, match="cells are separated by"):
            read_ids(tmp_path / "ids.txt", "r1", {})


def test_a_report_without_the_figure_is_named(capsys):
    assert export("--by", "iou") == 2
    assert capsys.readouterr().err.startswith("error: data/audit: has no figure 'iou' of r1; run `dvc repro audit`")


def test_the_order_of_another_figure(capsys):
    assert export("--by", "margin", worst="9") == 0
    assert "1 label of r1 in out, in the report's order, smallest 'margin' first: a" in capsys.readouterr().out


def test_a_class_that_is_not_tagged_is_warned_of(capsys):
    assert export() == 0
    draw("out/d.json", "dog")
    assert take() == 0
    assert "warning: 1 label shows a class that is not among the image's labels: d (dog)" in capsys.readouterr().out


def resize(path):
    content = json.loads(Path(path).read_text())
    Path(path).write_text(json.dumps({**content, "imageWidth": 25}))


def copy_json(name, image=None):
    content = json.loads(Path("out/d.json").read_text())
    Path(f"out/{name}.json").write_text(json.dumps({**content, "imagePath": f"..\\images\\{image or name}.jpg"}))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda: draw("out/d.json", "cow"), "out/d.json: class 'cow' is not in the class table (cat, dog); name the"),
        (lambda: resize("out/d.json"), "out: labelme label of 'd': 25x16, but the image is 24x16"),
        (lambda: copy_json("b"), "out: labelme label of 'b': the image is in split val"),
        (lambda: copy_json("x"), "out: labelme label of 'x': the data set has no such image"),
        (lambda: copy_json("d1", "d"), "out/d1.json: was drawn on the image 'd.jpg', but has the name of 'd1'"),
        (lambda: draw("out/d.json", kind="linestrip"), "out/d.json: shape 33 ('cat'): a linestrip encloses no area"),
        (lambda: shutil.rmtree("out"), "out: no such file or folder"),
        (lambda: [path.unlink() for path in Path("out").glob("*.json")], "out: no annotations"),
    ],
)
def test_one_bad_label_imports_nothing(spoil, message, capsys):
    assert export() == 0
    draw()
    spoil()
    assert take() == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}") and error.count("\n") == 1
    assert rows() == [] and not (FOLDER / "r1").exists()


def test_labels_go_back_to_the_round_they_come_from(capsys):
    assert export() == 0
    draw()
    assert main(["corrections", "import", "out", "--round", "r0"]) == 2
    assert "the label of 'a' was exported from r1, not r0; import with --round r1" in capsys.readouterr().err
    assert rows() == []
    table = Path("out/exported.csv")  # as an earlier version wrote it
    lines = [line.rpartition(",")[0] + "\n" for line in table.read_text().splitlines()]
    table.write_text("".join(lines))
    assert main(["corrections", "import", "out", "--round", "r0"]) == 0


def test_exported_labels_that_are_gone_are_named(capsys):
    assert export() == 0
    draw()
    Path("out/d.json").unlink()
    assert take() == 0
    assert "not in out, so left as they are: 1 of 2: d\n" in capsys.readouterr().out
    assert take("out/a.json") == 0
    assert "not in" not in capsys.readouterr().out


def test_import_needs_a_round_of_the_project(capsys):
    assert export() == 0
    assert main(["corrections", "import", "out", "--round", "r7"]) == 2
    assert capsys.readouterr().err.startswith("error: r7: no such round; choose one of r0, r1")


def other_labels():
    labels = dict(Archive(Path("data/labels/r1/00.zip")))
    write_archive(Path("data/labels/r1/00.zip"), {**labels, "a.png": labels["d.png"]})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda: shutil.rmtree("data/audit"), "data/audit/index/base.js: missing"),
        (other_labels, "data/audit: shows other labels of r1"),
        (lambda: Path("set/images/a.jpg").unlink(), "set/images/a.jpg: no such image"),
        (lambda: [Path("out").mkdir(), Path("out/mine.json").touch()], "--to out: is not empty"),
    ],
)
def test_an_export_that_cannot_be_made_is_one_line(spoil, message, capsys, tmp_path):
    spoil()
    assert export() == 2
    assert capsys.readouterr().err.replace(f"{tmp_path}/", "").startswith(f"error: {message}")


def test_ids_without_a_label_are_named(capsys):
    Path("ids.txt").write_text("b\n")
    assert main(["corrections", "export", "--round", "r1", "--images", "ids.txt", "--to", "out"]) == 2
    assert capsys.readouterr().err.startswith("error: ids.txt: 'b' has no label in r1")
