"""`auxseg export labels`, in a small project with artifacts written by hand."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import small_project
import yaml
from PIL import Image
from small_project import CLASSES, LABEL, PARAMS, RECORD

from auxseg.artifacts.archive import write_archive
from auxseg.cli.main import main
from auxseg.datasets.manifest import write_manifest
from auxseg.datasets.scan import content_sha256
from auxseg.encoded import encode_label
from auxseg.external.labels import LabelFolder
from auxseg.fusion import complete
from auxseg.params.labels import LabelsParams


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    small_project.make_project(tmp_path, monkeypatch)


def test_labels_come_back_as_initial_labels():
    assert main(["export", "labels", "--round", "r1", "--to", "out"]) == 0
    values = np.asarray(Image.open("out/a.png"))
    assert values[0, :3].tolist() == [255, 8, 12]
    params = LabelsParams(initial="precomputed", path="out", sha256=content_sha256(Path("out"), "path", "root"))
    found = LabelFolder.of(params, Path(), CLASSES, "error")(RECORD)
    assert found[0, 0] == 255 and found.ravel()[1:].tolist() == LABEL.ravel()[1:].tolist()


def test_labels_as_class_indices():
    assert main(["export", "labels", "--round", "r1", "--indices", "--to", "out"]) == 0
    assert np.asarray(Image.open("out/a.png"))[0, :3].tolist() == [255, 1, 2]


def test_completed_labels_have_no_ignored_pixel():
    """The photo is one colour, so the CRF of a label of stripes that is half ignored continues the stripes."""
    label = np.repeat([0, 1, 2, 255], 6)[None].repeat(16, axis=0).astype(np.uint8)
    write_archive(Path("data/labels/r1/00.zip"), {"a.png": encode_label(label)})
    assert main(["export", "labels", "--round", "r1", "--split", "all", "--indices", "--complete", "--to", "out"]) == 0
    found = np.asarray(Image.open("out/a.png"))
    assert (found == complete(np.full((16, 24, 3), 100, np.uint8), label, [1, 2], 1024)).all()
    assert 255 not in found and (found[:, 18:] == 2).any()
    assert rows("out/masks.csv")[0]["ignored_share"] == "0"
    assert np.asarray(Image.open("out/b.png")).tolist() == [[0] * 6 + [2] * 18] * 16  # a prediction stays


def test_labels_that_the_stage_completed_are_not_completed_again():
    """Even though the one pixel that is ignored here would show it; r0 of another method is completed."""
    Path("params.yaml").write_text(yaml.safe_dump({**PARAMS, "labels": {"completion": "crf"}}))
    assert main(["export", "labels", "--round", "r0", "--complete", "--to", "out"]) == 0
    assert np.asarray(Image.open("out/a.png"))[0, 0] == 255
    labels = {"completion": "crf", "initial": "precomputed", "path": "labels"}
    Path("params.yaml").write_text(yaml.safe_dump({**PARAMS, "labels": labels}))
    assert main(["export", "labels", "--round", "r0", "--complete", "--to", "again"]) == 0
    assert np.asarray(Image.open("again/a.png"))[0, 0] != 255


def test_classes_that_are_not_tagged_stay_in_completed_labels():
    """Another method may have labelled them."""
    label = np.repeat([0, 1, 2, 255], 6)[None].repeat(16, axis=0).astype(np.uint8)
    write_archive(Path("data/labels/r0/00.zip"), {"a.png": encode_label(label)})
    write_manifest(Path("data/manifest"), [replace(RECORD, tags=CLASSES.names[:1])], CLASSES, ["00"])
    assert main(["export", "labels", "--round", "r0", "--indices", "--complete", "--to", "out"]) == 0
    assert (np.asarray(Image.open("out/a.png")) == 2).sum() > 60


def test_labels_without_their_photo_cannot_be_completed(capsys):
    Path("set/images/a.jpg").unlink()
    assert main(["export", "labels", "--round", "r1", "--complete", "--to", "out"]) == 2
    assert "images/a.jpg" in capsys.readouterr().err
    assert not Path("out").exists()
    assert main(["export", "labels", "--round", "r1", "--to", "out"]) == 0


@pytest.mark.parametrize("what", [["labels"], ["cams", "--format", "psa"]])
def test_rejections_write_nothing(what, capsys):
    assert main(["export", *what, "--round", "r7", "--to", "out"]) == 2
    assert "no such round; choose one of r0, r1, or best" in capsys.readouterr().err
    Path("data/labels/r0/00.zip").unlink()
    assert main(["export", *what, "--round", "r0", "--to", "out"]) == 2
    assert "r0/00." in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("data", "folder"),
    [
        ({"format": "voc"}, "SegmentationClass"),
        ({"format": "voc"}, "JPEGImages"),
        ({"format": "voc"}, "SegmentationClassAug"),
        ({"format": "folder", "folder": {"images": "images"}}, "images"),
        ({"format": "folder", "folder": {"images": "images"}}, "images/below"),
        ({"format": "folder", "labels_file": "lists/classes.csv"}, "lists"),
        ({"format": "folder"}, "."),
    ],
)
def test_nothing_of_the_data_set_is_overwritten(data, folder, tmp_path, capsys):
    Path("params.yaml").write_text(yaml.safe_dump({**PARAMS, "data": data}))
    own = tmp_path / "set" / folder / "a.png"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_bytes(b"a mask, or an image")
    for what in (["labels"], ["overlays"], ["cams", "--format", "psa"]):
        assert main(["export", *what, "--round", "r1", "--to", str(own.parent)]) == 2
        assert "the data set's own files" in capsys.readouterr().err
    assert own.read_bytes() == b"a mask, or an image"
    assert [path.name for path in own.parent.glob("*.csv")] == []
    assert main(["export", "labels", "--round", "r1", "--to", str(tmp_path / "set/pseudo")]) == 0


@pytest.mark.parametrize(("format_", "folder"), [("roboflow-csv", "train"), ("class-folders", "cat"), ("labelme", "x")])
def test_nothing_lands_in_an_annotated_set(format_, folder, tmp_path, capsys):
    Path("params.yaml").write_text(yaml.safe_dump({**PARAMS, "data": {"format": format_}}))
    assert main(["export", "labels", "--round", "r1", "--to", str(tmp_path / "set" / folder)]) == 2
    assert "the data set's own files" in capsys.readouterr().err
    assert not (tmp_path / "set" / folder).exists()


def test_labels_land_nowhere_else(capsys):
    write_archive(Path("data/labels/r1/00.zip"), {"../../evil.png": b"1"})
    for what in ("labels", "overlays"):
        assert main(["export", what, "--round", "r1", "--to", "out/in"]) == 2
        assert "is not a label" in capsys.readouterr().err
    assert not Path("evil.png").exists() and not Path("out").exists()


def rows(path: str) -> list[dict[str, str]]:
    with Path(path).open() as stream:
        return list(csv.DictReader(stream))


def test_all_gives_every_image_one_mask(capsys):
    assert main(["export", "labels", "--round", "r1", "--split", "all", "--to", "out"]) == 0
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "a.png",
        "b.png",
        "c.png",
        "classes.csv",
        "masks.csv",
    ]
    first, second, third = rows("out/masks.csv")
    assert first == {
        "image_id": "a",
        "file": "a.png",
        "kind": "label",
        "round": "r1",
        "split": "train",
        "ignored_share": f"{100 / 384:.6g}",
        "classes": "cat;dog",
    }
    assert (second["kind"], second["split"], second["ignored_share"], second["classes"]) == (
        "prediction",
        "val",
        "0",
        "dog",
    )
    assert third["image_id"] == "c"
    assert np.asarray(Image.open("out/b.png"))[0, [0, 6]].tolist() == [0, 12]
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("3 masks of r1 in out, mask values") and out[1].startswith("next: ") and len(out) == 2


@pytest.mark.parametrize(("option", "values"), [([], ["0", "8", "12", "255"]), (["--indices"], ["0", "1", "2", "255"])])
def test_the_class_table_has_the_stored_values_and_their_colours(option, values):
    assert main(["export", "labels", "--round", "r1", *option, "--to", "out"]) == 0
    table = rows("out/classes.csv")
    assert [row["value"] for row in table] == values
    assert [row["name"] for row in table] == ["background", "cat", "dog", "ignore"]
    palette = Image.open("out/a.png").getpalette()
    for row in table:
        colour = palette[3 * int(row["value"]) : 3 * int(row["value"]) + 3]
        assert row["colour"] == "#" + bytes(colour).hex()


@pytest.mark.parametrize(
    ("name", "split", "count", "why"),
    [
        ("r0", "all", 1, "2 val images have no prediction of r0: it has no network"),
        ("r1", "train", 1, "2 val images have no mask here: --split all writes the predictions too"),
        ("r1", "val", 2, "1 train image has no mask here: --split all writes the labels too"),
    ],
)
def test_what_has_no_mask_is_counted_and_explained(name, split, count, why, capsys):
    assert main(["export", "labels", "--round", name, "--split", split, "--to", "out"]) == 0
    assert len(rows("out/masks.csv")) == count == len(list(Path("out").glob("*.png")))
    assert why in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("what", ["labels", "overlays"])
def test_an_export_of_nothing_writes_nothing(what, capsys):
    assert main(["export", what, "--round", "r0", "--split", "val", "--to", "out"]) == 2
    assert capsys.readouterr().err == (
        "error: --split val: nothing to export: 1 train image has no mask here: --split all writes the labels too; "
        "2 val images have no prediction of r0: it has no network\n"
    )
    write_manifest(Path("data/manifest"), [RECORD], CLASSES, ["00"])
    assert main(["export", what, "--round", "r1", "--split", "val", "--to", "out"]) == 2
    assert capsys.readouterr().err.startswith("error: --split val: nothing to export: the data set has no val images; ")
    assert not Path("out").exists()


def test_without_predictions_nothing_is_written(capsys):
    Path("data/predictions/r1.zip").unlink()
    assert main(["export", "labels", "--round", "r1", "--split", "all", "--to", "out"]) == 2
    assert (
        capsys.readouterr().err
        == "error: data/predictions/r1.zip: no such file; `dvc pull` it, or run `auxseg run` first\n"
    )
    assert not Path("out").exists()


def test_the_best_round_is_the_default(capsys):
    small_project.judge("r1", best="r0", reasons=("It ignores 80 % of the pixels.",), advice=("Lower tau.",))
    assert main(["export", "labels", "--to", "out"]) == 0
    first = "round r0: the guard found r1 worse: It ignores 80 % of the pixels; --round r1 takes it anyway"
    assert capsys.readouterr().out.splitlines()[0] == first
    assert rows("out/masks.csv")[0]["round"] == "r0"


def test_masks_of_another_export_do_not_stay_beside_a_table_that_does_not_list_them(capsys):
    assert main(["export", "labels", "--round", "r1", "--split", "all", "--to", "out"]) == 0
    assert main(["export", "labels", "--round", "r1", "--split", "all", "--indices", "--to", "out"]) == 0
    assert main(["export", "labels", "--round", "r1", "--to", "out"]) == 2
    assert "--to out: 2 .png files are there that this command does not write (first: b.png)" in capsys.readouterr().err
    assert main(["export", "overlays", "--round", "r1", "--split", "all", "--to", "over"]) == 0
    assert main(["export", "overlays", "--round", "r1", "--to", "over"]) == 2
