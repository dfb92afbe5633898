"""The scripts of `cam` and `labels` on CAMs and labels of another method, and the hash by which DVC notices changes."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from auxseg.artifacts.archive import Archive, write_archive
from auxseg.artifacts.atomic import write_json
from auxseg.artifacts.tensors import TensorFile
from auxseg.cli.main import main
from auxseg.datasets.manifest import ClassTable, ImageRecord, write_manifest
from auxseg.encoded import decode_indices, encode_grey, encode_label
from auxseg.errors import AuxsegError
from auxseg.fusion import fuse
from auxseg.maps import upsample
from auxseg.params.presets import read_preset
from auxseg.pipeline.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ClassTable(("cat", "dog"), (8, 12))


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A project of one shard and two train images of 24x16, with CAMs and labels of another method."""
    raw, work = tmp_path / "raw", tmp_path / "work"
    (raw / "cams").mkdir(parents=True)
    (raw / "given").mkdir()
    (raw / "JPEGImages").mkdir()
    (raw / "image_labels.csv").write_text("image_id,labels\np0,cat;dog\np1,dog\n")
    records, priors = [], {}
    for index, tags in enumerate([("cat", "dog"), ("dog",)]):
        rng = np.random.default_rng(index)
        Image.fromarray(rng.integers(0, 256, (16, 24, 3), np.uint8)).save(raw / f"JPEGImages/p{index}.png")
        cams = {CLASSES.values[CLASSES.index(name) - 1] - 1: rng.random((4, 6), np.float32) for name in tags}
        np.save(raw / f"cams/p{index}.npy", cams)
        values = rng.choice(np.array([0, 8, 12, 255], np.uint8), (16, 24))
        (raw / f"given/p{index}.png").write_bytes(encode_label(values))
        priors[f"p{index}.png"] = encode_grey(rng.random((16, 24)))
        records.append(ImageRecord(f"p{index}", f"JPEGImages/p{index}.png", 24, 16, "train", tags, ""))
    write_manifest(work / "data/manifest", records, CLASSES, ["00"])
    write_json(work / "data/manifest/dataset.json", {"format": "voc", "unlisted": "error", "scenes": None})
    write_archive(work / "data/saliency/00.zip", priors)
    (work / "dvc.yaml").write_bytes((ROOT / "dvc.yaml").read_bytes())
    values = read_preset(ROOT / "params/presets/demo.yaml")
    values |= {"shards": ["00"], "runtime": {"threads": 1, "precision": "float32"}, "data": {"format": "voc"}}
    (work / "params.yaml").write_text(yaml.safe_dump(values))
    monkeypatch.chdir(work)
    monkeypatch.setenv("AUXSEG_DATA", str(raw))
    return work


def configure(**sections):
    values = yaml.safe_load(Path("params.yaml").read_text())
    for key, section in sections.items():
        values[key] |= section
    Path("params.yaml").write_text(yaml.safe_dump(values))


@pytest.fixture
def run(load_stage, monkeypatch):
    """Return a function that runs a stage on the shard, in this process."""
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)
    return lambda stage, round_name="": load_stage(stage).main(Stage(stage, round_name, "00"))


def test_cams_enter_as_round_0_and_labels_are_fused_from_them(work, run):
    configure(cam={"provider": "npy", "path": "cams"})
    with pytest.raises(AuxsegError, match="run `auxseg scan`"):
        run("cam")
    assert main(["scan"]) == 0
    run("cam")
    maps = TensorFile(work / "data/maps/r0/00.safetensors")
    for index, values in enumerate([(8, 12), (12,)]):
        stored = np.load(work.parent / f"raw/cams/p{index}.npy", allow_pickle=True).item()
        expected = np.stack([stored[value - 1] for value in values]).astype(np.float16)
        assert maps[f"p{index}.cam"].tolist() == expected.tolist()

    run("labels", "r0")
    params = yaml.safe_load(Path("params.yaml").read_text())["labels"]
    cam = upsample(maps["p1.cam"], 16, 24)
    prior = decode_indices(Archive(work / "data/saliency/00.zip")["p1.png"]).astype(np.float32) / 255
    expected = fuse(cam, [2], prior, params["cam_threshold"], params["saliency_threshold"])
    labels = Archive(work / "data/labels/r0/00.zip")
    assert decode_indices(labels["p1.png"]).tolist() == expected.tolist()


def test_labels_enter_as_round_0_alone(work, run):
    configure(cam={"provider": "npy", "path": "cams"}, labels={"initial": "precomputed", "path": "given"})
    assert main(["scan"]) == 0
    run("cam")
    run("labels", "r0")
    found = decode_indices(Archive(work / "data/labels/r0/00.zip")["p0.png"])
    given = np.asarray(Image.open(work.parent / "raw/given/p0.png"))
    assert found.tolist() == CLASSES.indices_from_values(0)[given].tolist()
    assert list(Archive(work / "data/saliency_labels/r0/00.zip")) == ["p0.png", "p1.png"]

    (work / "data/maps/r1").mkdir()
    (work / "data/maps/r1/00.safetensors").write_bytes((work / "data/maps/r0/00.safetensors").read_bytes())
    run("labels", "r1")
    fused = decode_indices(Archive(work / "data/labels/r1/00.zip")["p0.png"])
    assert fused.tolist() != found.tolist()


def test_scan_writes_the_hash_beside_the_path_when_content_changes(work, capsys):
    configure(cam={"provider": "npy", "path": "cams"}, saliency={"provider": "precomputed", "path": "given"})

    def hashes():
        values = yaml.safe_load(Path("params.yaml").read_text())
        return {key: values[key].get("sha256") for key in ("saliency", "cam", "labels")}

    assert main(["scan"]) == 0
    first = hashes()
    assert None not in (first["saliency"], first["cam"]) and first["labels"] is None
    before = Path("params.yaml").read_bytes()
    assert main(["scan"]) == 0
    assert Path("params.yaml").read_bytes() == before
    np.save(work.parent / "raw/cams/p1.npy", {11: np.ones((4, 6), np.float32)})
    assert main(["scan"]) == 0
    assert hashes()["cam"] != first["cam"] and hashes()["saliency"] == first["saliency"]
    configure(cam={"provider": "classifier"})
    assert main(["scan"]) == 0
    assert hashes()["cam"] is None
    assert "params.yaml: cam.sha256 cleared" in capsys.readouterr().out
    configure(cam={"provider": "npy", "path": "elsewhere"})
    assert main(["scan"]) == 2
    assert "elsewhere: no such file or folder; correct cam.path" in capsys.readouterr().err


def test_scan_hashes_the_weights_of_the_backbone(work, capsys):
    Path("own.pth").write_bytes(b"weights")
    configure(backbone={"weights": "own.pth"})
    assert main(["scan"]) == 0
    found = yaml.safe_load(Path("params.yaml").read_text())["backbone"]["sha256"]
    assert found == hashlib.sha256(b"weights").hexdigest()
    Path("own.pth").unlink()
    assert main(["scan"]) == 2
    error = capsys.readouterr().err
    assert "own.pth: no such file or folder; correct backbone.weights (relative to the project)" in error
