"""`auxseg predict`, in a small project with a random network."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import small_project
import torch
from PIL import Image
from small_project import PARAMS

from auxseg.cli.main import main
from auxseg.models.auxsegnet import build_auxsegnet
from auxseg.models.weights import save_weights
from auxseg.params.backbone import BackboneParams
from auxseg.params.network import NetworkParams


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    small_project.make_project(tmp_path, monkeypatch)


@pytest.fixture(autouse=True)
def network(project):
    """A network of r1, three images and a list of two."""
    torch.manual_seed(0)
    backbone, network = BackboneParams(**PARAMS["backbone"]), NetworkParams(**PARAMS["network"])
    save_weights(Path("data/models/r1.safetensors"), build_auxsegnet(backbone, network, 2), {})
    Path("photos").mkdir()
    for name, size in (("x.jpg", (40, 32)), ("y.png", (32, 48)), ("z.jpg", (32, 32))):
        pixels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)
        Image.fromarray(pixels).save(f"photos/{name}")
    Path("ids.txt").write_text("x\r\ny\r\n", encoding="utf-8-sig")  # as Windows writes it


COMMAND = ["predict", "--images", "photos", "--to", "out"]


def test_masks_overlays_and_tables_of_the_images_asked_for(capsys):
    assert main([*COMMAND, "--round", "r1", "--list", "ids.txt"]) == 0
    assert sorted(path.relative_to("out").as_posix() for path in Path("out").rglob("*.*")) == [
        "classes.csv",
        "confidence/x.png",
        "confidence/y.png",
        "overlays/x.jpg",
        "overlays/y.jpg",
        "predictions.csv",
        "predictions.json",
        "x.png",
        "y.png",
    ]
    masks = {key: np.asarray(Image.open(f"out/{key}.png")) for key in "xy"}
    assert {key: mask.shape for key, mask in masks.items()} == {"x": (32, 40), "y": (48, 32)}
    assert {Image.open(f"out/overlays/{key}.jpg").size for key in "xy"} == {(40, 32), (32, 48)}
    assert set(np.unique(np.concatenate([mask.ravel() for mask in masks.values()]))) <= {0, 8, 12}

    names = {0: "background", 8: "cat", 12: "dog"}
    expected = {
        (key, names[value]): 100 * (mask == value).mean() for key, mask in masks.items() for value in np.unique(mask)
    }
    with Path("out/predictions.csv").open() as stream:
        found = {(row["image_id"], row["class"]): float(row["share"]) for row in csv.DictReader(stream)}
    assert found == pytest.approx(expected, rel=1e-5)
    summary = json.loads(Path("out/predictions.json").read_text())
    assert {(key, name): share for key in "xy" for name, share in summary[key]["shares"].items()} == pytest.approx(
        expected, abs=1e-4
    )
    assert [(summary[key]["height"], summary[key]["width"]) for key in "xy"] == [(32, 40), (48, 32)]
    for key in "xy":
        confidence = Image.open(f"out/confidence/{key}.png")
        assert confidence.mode == "L" and confidence.size == masks[key].shape[::-1]
        assert np.asarray(confidence).mean() / 255 == pytest.approx(summary[key]["confidence"], abs=0.003)
    assert Path("out/classes.csv").read_text() == (
        "value,name,colour\n0,background,#000000\n8,cat,#400000\n12,dog,#400080\n255,ignore,#e0e0c0\n"
    )
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("2 predictions of r1 in out: ") and out[1].startswith("next: look through out/overlays")


def test_the_best_round_is_the_default(capsys):
    assert main([*COMMAND, "--list", "ids.txt"]) == 0
    assert capsys.readouterr().out.startswith("round r1: the last one; data/guard has no judgements")
    small_project.judge("r1", best="r1")
    assert main([*COMMAND, "--list", "ids.txt"]) == 0
    assert capsys.readouterr().out.startswith("round r1: the last one, and the guard found it good\n")


def test_no_good_network_is_one_line(capsys):
    small_project.judge("r1", best="r0", reasons=("It is worse.",), advice=("Train longer.",))
    assert main(COMMAND) == 2
    assert capsys.readouterr() == (
        "",
        "error: the guard found no round better than the initial labels, which have no network; "
        "--round r1 takes that network anyway\n",
    )
    assert not Path("out").exists()


def test_rejections(capsys):
    command = [*COMMAND, "--round", "r1"]
    Path("photos/zz.jpg").write_bytes(b"")
    assert main(["predict", "--round", "r1", "--images", "photos", "--to", "never"]) == 2
    assert "photos/zz.jpg: not a readable image" in capsys.readouterr().err
    assert not Path("never").exists()
    Path("photos/zz.jpg").rename("photos/za.jpg")
    Path("photos/zb.jpg").write_bytes(b"")
    assert main(["predict", "--round", "r1", "--images", "photos", "--to", "never"]) == 2
    error = capsys.readouterr().err
    assert "photos/za.jpg: not a readable image" in error and error.endswith("(and 1 more: zb.jpg)\n")
    assert not Path("never").exists()
    Path("photos/za.jpg").unlink()
    Path("photos/zb.jpg").unlink()
    assert main(["predict", "--round", "r1", "--images", "photos/x.jpg", "--to", "never"]) == 2
    assert "photos/x.jpg: not a folder; give the folder of images" in capsys.readouterr().err

    photo = Path("photos/y.png").read_bytes()
    assert main(["predict", "--round", "r1", "--images", "photos", "--to", "photos/../photos"]) == 2
    assert "would overwrite photos/y.png" in capsys.readouterr().err
    assert Path("photos/y.png").read_bytes() == photo and not Path("photos/x.png").exists()

    Path("jpegs").mkdir()
    Path("jpegs/x.jpg").write_bytes(Path("photos/x.jpg").read_bytes())
    assert main(["predict", "--round", "r1", "--images", "jpegs", "--to", "jpegs"]) == 2
    assert "jpegs: the folder of the images" in capsys.readouterr().err
    assert [path.name for path in Path("jpegs").iterdir()] == ["x.jpg"]

    Path("photos/overlays").mkdir()
    Path("photos/x.jpg").rename("photos/overlays/x.jpg")
    assert main(["predict", "--round", "r1", "--images", "photos/overlays", "--to", "photos"]) == 2
    assert "would overwrite photos/overlays/x.jpg" in capsys.readouterr().err
    Path("photos/overlays/x.jpg").rename("photos/x.jpg")
    assert main(["predict", "--round", "r1", "--images", "photos", "--to", "set/images"]) == 2
    assert "the data set's own files" in capsys.readouterr().err

    Path("ids.txt").write_text("\n")
    assert main([*command, "--list", "ids.txt"]) == 2
    assert "ids.txt: names no id" in capsys.readouterr().err
    Path("ids.txt").write_text("x\nw\n")
    assert main([*command, "--list", "ids.txt"]) == 2
    assert "photos: no image 'w'; correct the list" in capsys.readouterr().err
    assert main(["predict", "--round", "r1", "--images", "data", "--to", "out"]) == 2
    assert "data: no image" in capsys.readouterr().err
    assert main(["predict", "--round", "r0", "--images", "photos", "--to", "out"]) == 2
    assert "no such training; choose one of r1, or best" in capsys.readouterr().err


def test_what_is_left_out_of_a_folder_is_told(capsys):
    Path("photos/cats").mkdir()
    for name in ("a.gif", "cats/x.jpg", "cats/w.jpg"):
        Image.new("RGB", (32, 32)).save(f"photos/{name}")
    assert main([*COMMAND, "--round", "r1"]) == 0
    out = capsys.readouterr().out
    assert "note: photos: 1 file is not read as an image, the first is 'a.gif'; save" in out
    assert "note: photos: 2 images are in sub-folders and left out, the first is 'cats/w.jpg'; give each" in out


def test_a_list_does_not_take_the_image_of_another_folder(capsys):
    Path("photos/cats").mkdir()
    Image.new("RGB", (32, 32)).save("photos/cats/x.jpg")
    for line in ("cats/x.jpg", "cats/x"):
        Path("ids.txt").write_text(f"{line}\n")
        assert main([*COMMAND, "--round", "r1", "--list", "ids.txt"]) == 2
        assert f"ids.txt: '{line}' is in a sub-folder; give photos/cats to --images" in capsys.readouterr().err
    Path("ids.txt").write_text("/JPEGImages/x.jpg\n")  # as the field's lists have it
    assert main([*COMMAND, "--round", "r1", "--list", "ids.txt"]) == 0


def test_images_that_are_read_as_almost_black_are_told(capsys):
    Image.fromarray(np.full((32, 32), 900, np.uint16)).save("photos/deep.png")
    assert main([*COMMAND, "--round", "r1"]) == 0
    assert "note: 1 image has 16 bits, but the largest value is 900 of 65535, so they are" in capsys.readouterr().out


def test_predictions_of_other_images_do_not_stay_beside_tables_that_do_not_list_them(capsys):
    assert main([*COMMAND, "--round", "r1"]) == 0
    assert main([*COMMAND, "--round", "r1"]) == 0  # the same ones again
    assert main([*COMMAND, "--round", "r1", "--list", "ids.txt"]) == 2
    assert (
        "--to out: 2 .png files are there that this command does not write (first: confidence/z.png); give a new"
        in (capsys.readouterr().err)
    )


def test_predictions_below_the_images_are_not_taken_for_images(capsys):
    command = ["predict", "--images", "photos", "--to", "photos/out", "--round", "r1"]
    assert main(command) == 0
    assert main(command) == 0
    assert "note: " not in capsys.readouterr().out


def test_tables_of_an_earlier_run_do_not_outlive_a_killed_one(monkeypatch):
    assert main([*COMMAND, "--round", "r1"]) == 0

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("auxseg.cli.predict.write_overlay", killed)
    assert main([*COMMAND, "--round", "r1"]) == 130
    assert not list(Path("out").glob("predictions.*"))
