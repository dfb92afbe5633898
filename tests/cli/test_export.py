"""`auxseg export` and `auxseg predict`, in a small project with artifacts written by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from auxseg.artifacts.archive import write_archive
from auxseg.artifacts.tensors import write_tensors
from auxseg.cli import export
from auxseg.cli.main import main
from auxseg.datasets import id_lists
from auxseg.datasets.id_lists import IdList, list_sha256
from auxseg.datasets.manifest import ClassTable, ImageRecord, write_manifest
from auxseg.images import encode_label
from auxseg.maps import upsample
from auxseg.models.auxsegnet import build_auxsegnet
from auxseg.models.weights import save_weights
from auxseg.params.backbone import BackboneParams
from auxseg.params.cam import CamParams
from auxseg.params.labels import LabelsParams
from auxseg.params.network import NetworkParams
from auxseg.seeds.cams import FORMATS, CamFolder
from auxseg.seeds.labels import LabelFolder

CLASSES = ClassTable(("cat", "dog"), (8, 12))
RECORD = ImageRecord("a", "a.jpg", 24, 16, "train", ("cat", "dog"), "")
LABEL = np.arange(16 * 24, dtype=np.uint8).reshape(16, 24) % 3
CAMS = np.random.default_rng(0).random((2, 4, 6)).astype(np.float16)
PARAMS = {
    "rounds": {"r1": "r0"}, "label_rounds": ["r0", "r1"], "shards": ["00"], "runtime": {"threads": 1},
    "backbone": {"name": "resnet18", "weights": "random", "output_stride": 32}, "network": {"channels": 8},
    "evaluate": {"scales": [1.0], "flip": False},
}  # fmt: skip


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """Round r1 of one shard with one image: a label with an ignored pixel, and CAMs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)
    Path("dvc.yaml").touch()
    Path("params.yaml").write_text(yaml.safe_dump(PARAMS))
    write_manifest(Path("data/manifest"), [RECORD], CLASSES, ["00"])
    label = LABEL.copy()
    label[0, 0] = 255
    write_archive(Path("data/labels/r1/00.zip"), {"a.png": encode_label(label)})
    write_tensors(Path("data/maps/r1/00.safetensors"), {"a.cam": CAMS})
    return tmp_path


def test_formats_agree():
    assert export.FORMATS == FORMATS


@pytest.mark.parametrize("layout", FORMATS)
def test_cams_come_back_as_seeds(layout):
    assert main(["export", "cams", "--round", "r1", "--format", layout, "--to", "out"]) == 0
    params = CamParams(provider="png" if layout == "png" else "npy", path="out", sha256="seen")
    found = CamFolder.of(params, Path(), CLASSES)(RECORD)
    if layout == "png":
        np.testing.assert_allclose(found.astype(np.float32), CAMS.astype(np.float32), atol=0.5 / 255 + 5e-4)
    else:
        assert found.tolist() == upsample(CAMS, 16, 24).astype(np.float16).tolist()


def test_labels_come_back_as_initial_labels():
    assert main(["export", "labels", "--round", "r1", "--to", "out"]) == 0
    values = np.asarray(Image.open("out/a.png"))
    assert values[0, :3].tolist() == [255, 8, 12]
    params = LabelsParams(initial="precomputed", path="out", sha256="seen")
    found = LabelFolder.of(params, Path(), CLASSES, "error")(RECORD)
    assert found[0, 0] == 255 and found.ravel()[1:].tolist() == LABEL.ravel()[1:].tolist()


def test_labels_as_class_indices():
    assert main(["export", "labels", "--round", "r1", "--indices", "--to", "out"]) == 0
    assert np.asarray(Image.open("out/a.png"))[0, :3].tolist() == [255, 1, 2]


@pytest.mark.parametrize("what", [["labels"], ["cams", "--format", "psa"]])
def test_refusals_write_nothing(what, capsys):
    assert main(["export", *what, "--round", "r7", "--to", "out"]) == 2
    assert "no such round; choose of r0, r1" in capsys.readouterr().err
    assert main(["export", *what, "--round", "r0", "--to", "out"]) == 2
    assert "r0/00." in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("data", "folder"),
    [
        ({"format": "voc"}, "SegmentationClass"),
        ({"format": "voc"}, "JPEGImages"),
        ({"format": "folder", "folder": {"images": "images"}}, "images"),
    ],
)
def test_nothing_of_the_data_set_is_overwritten(data, folder, tmp_path, monkeypatch, capsys):
    Path("params.yaml").write_text(yaml.safe_dump({**PARAMS, "data": data}))
    own = tmp_path / "set" / folder / "a.png"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"a mask, or a photograph")
    monkeypatch.setenv("AUXSEG_DATA", str(tmp_path / "set"))
    assert main(["export", "labels", "--round", "r1", "--to", str(own.parent)]) == 2
    assert "the data set's own files" in capsys.readouterr().err
    assert own.read_bytes() == b"a mask, or a photograph"
    assert main(["export", "labels", "--round", "r1", "--to", str(tmp_path / "set/pseudo")]) == 0


def test_labels_land_nowhere_else(capsys):
    write_archive(Path("data/labels/r1/00.zip"), {"../../evil.png": b"1"})
    assert main(["export", "labels", "--round", "r1", "--to", "out/in"]) == 2
    assert "is no label" in capsys.readouterr().err
    assert not Path("evil.png").exists() and not Path("out").exists()


@pytest.fixture
def voc_test_list(monkeypatch):
    """VOC's test list, of two ids."""
    published = {"test": IdList(2, list_sha256(["2008_000001", "2008_000004"]))}
    monkeypatch.setattr(id_lists, "VOC_LISTS", published)


def predictions(folder, *ids, value=20):
    Path(folder).mkdir(exist_ok=True)
    for key in ids:
        Path(folder, f"{key}.png").write_bytes(encode_label(np.full((3, 4), value, np.uint8)))


def test_voc_submission(voc_test_list, capsys):
    predictions("given", "2008_000001", "2008_000004")
    assert main(["export", "voc-submission", "--predictions", "given", "--to", "out"]) == 0
    files = sorted(path.relative_to("out").as_posix() for path in Path("out").rglob("*.png"))
    folder = "results/VOC2012/Segmentation/comp6_test_cls"
    assert files == [f"{folder}/2008_000001.png", f"{folder}/2008_000004.png"]
    image = Image.open(f"out/{files[0]}")
    assert image.mode == "P" and np.asarray(image).max() == 20
    assert "tar -C out -czf results.tgz results" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("ids", "value", "message"),
    [
        (["2008_000001"], 20, "given: 1 ids, but the published test has 2"),
        (["2008_000001", "2008_000005"], 20, "given: 2 ids, but not those of the published test"),
        (["2008_000001", "2008_000004"], 255, "2008_000001.png: value 255 is no class of VOC"),
    ],
)
def test_what_the_server_would_refuse(voc_test_list, ids, value, message, capsys):
    predictions("given", *ids, value=value)
    assert main(["export", "voc-submission", "--predictions", "given", "--to", "out"]) == 2
    assert message in capsys.readouterr().err
    assert not Path("out").exists()


def test_predict_writes_mask_values_of_the_photographs_asked_for(capsys):
    torch.manual_seed(0)
    backbone, network = BackboneParams(**PARAMS["backbone"]), NetworkParams(**PARAMS["network"])
    save_weights(Path("data/models/r1.safetensors"), build_auxsegnet(backbone, network, 2), {})
    Path("photos").mkdir()
    for name, size in (("x.jpg", (40, 32)), ("y.png", (32, 48)), ("z.jpg", (32, 32))):
        pixels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)
        Image.fromarray(pixels).save(f"photos/{name}")
    Path("ids.txt").write_text("x\r\ny\r\n", encoding="utf-8-sig")  # as Windows writes it
    command = ["predict", "--round", "r1", "--images", "photos", "--to", "out"]
    assert main([*command, "--list", "ids.txt"]) == 0
    found = {path.name: np.asarray(Image.open(path)) for path in Path("out").iterdir()}
    assert {name: label.shape for name, label in found.items()} == {"x.png": (32, 40), "y.png": (48, 32)}
    assert set(np.unique(np.concatenate([label.ravel() for label in found.values()]))) <= {0, 8, 12}

    Path("photos/zz.jpg").write_bytes(b"")
    assert main(["predict", "--round", "r1", "--images", "photos", "--to", "never"]) == 2
    assert "photos/zz.jpg: no readable image" in capsys.readouterr().err
    assert not Path("never").exists()
    Path("photos/zz.jpg").unlink()
    assert main(["predict", "--round", "r1", "--images", "photos/x.jpg", "--to", "never"]) == 2
    assert "photos/x.jpg: a file, no folder; give the folder of photographs" in capsys.readouterr().err

    photo = Path("photos/y.png").read_bytes()
    assert main(["predict", "--round", "r1", "--images", "photos", "--to", "photos/../photos"]) == 2
    assert "would overwrite photos/y.png" in capsys.readouterr().err
    assert Path("photos/y.png").read_bytes() == photo and not Path("photos/x.png").exists()

    Path("ids.txt").write_text("\n")
    assert main([*command, "--list", "ids.txt"]) == 2
    assert "ids.txt: names no id" in capsys.readouterr().err
    Path("ids.txt").write_text("x\nw\n")
    assert main([*command, "--list", "ids.txt"]) == 2
    assert "photos: no photograph 'w'; mend the list" in capsys.readouterr().err
    assert main(["predict", "--round", "r1", "--images", "data", "--to", "out"]) == 2
    assert "data: no photograph" in capsys.readouterr().err
    assert main(["predict", "--round", "r0", "--images", "photos", "--to", "out"]) == 2
    assert "no such training; choose of r1" in capsys.readouterr().err


def test_a_submission_needs_its_folder(capsys):
    assert main(["export", "voc-submission", "--predictions", "nowhere", "--to", "out"]) == 2
    assert "nowhere: no such folder; make them with `auxseg predict" in capsys.readouterr().err
