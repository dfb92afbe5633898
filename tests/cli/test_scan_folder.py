"""`auxseg scan FOLDER`: what a folder is, before it is the data root; and Roboflow's export from there to `prepare`."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from auxseg.artifacts.store import Store
from auxseg.cli.main import main
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.prepare import prepare
from auxseg.params.dag import read_params
from auxseg.params.data import DataParams


@pytest.fixture
def export(tmp_path_factory):
    """Roboflow's export of four images."""
    root = tmp_path_factory.mktemp("my export")
    for number, (split, row) in enumerate({"train": "1, 0", "valid": "0, 1", "test": "1, 1"}.items()):
        (root / split).mkdir()
        names = ("a", "b") if split == "train" else ("a",)
        for name in names:
            noise = np.random.default_rng([number, len(name), ord(name)]).integers(0, 256, (8, 12, 3))
            Image.fromarray(noise.astype(np.uint8)).save(root / f"{split}/{name}.png")
        rows = [f"{name}.png, {row if name == 'a' else '0, 1'}\n" for name in names]
        (root / split / "_classes.csv").write_text("".join(["filename, owl, cat\n", *rows]))
    return root


def files():
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def test_a_folder_is_looked_at_and_nothing_is_written(project, export, capsys):
    before = files()
    assert main(["scan", str(export)]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[:4] == [
        f"{export}: roboflow-csv, because of train/_classes.csv (and there is no image_labels.csv)",
        "2 train and 2 val images, 2 classes, 0 masks",
        "classes (from the labels): owl 1, cat 1",
        "note: val includes the 1 image of test; move that folder elsewhere to leave them out",
    ]
    assert printed.out.splitlines()[-1] == f"next: auxseg use own-data --data '{export}'"
    assert files() == before


def test_tables_that_are_not_read_are_mentioned(project, tmp_path_factory, capsys):
    root = tmp_path_factory.mktemp("own")
    (root / "images").mkdir()
    for name in "ab":
        Image.new("RGB", (8, 8)).save(root / f"images/{name}.png")
    (root / "labels.xlsx").write_bytes(b"PK")
    assert main(["scan", str(root)]) == 2
    fix = "'labels.xlsx' is there: export it as CSV (Excel: CSV UTF-8) to image_labels.csv"
    assert capsys.readouterr().err == f"error: {root}/image_labels.csv: missing; {fix}\n"
    (root / "image_labels.csv").write_text("image_id,labels\na,cat\nb,dog\n")
    assert main(["use", "own-data", "--data", str(root)]) == 0
    assert "note: labels.xlsx is not read, because the labels come from image_labels.csv" in capsys.readouterr().out


def test_a_folder_that_cannot_be_used_is_one_line(project, export, capsys):
    (export / "valid/_classes.csv").write_text("filename, owl\na.png, 1\n")
    assert main(["scan", str(export)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "train/_classes.csv: it lacks 'cat'; export all splits at once" in error
    for split in ("train", "valid", "test"):
        (export / split / "_classes.csv").unlink()
    assert main(["scan", str(export)]) == 2
    assert capsys.readouterr().err.startswith(f"error: {export}/images and {export}/image_labels.csv: missing; add")
    assert main(["scan", str(export / "nowhere")]) == 2
    assert capsys.readouterr().err.startswith(f"error: {export}/nowhere: no such folder; give the folder")


def test_the_data_root_itself_is_scanned_as_ever(project, export, capsys):
    assert main(["use", "own-data", "--data", str(export)]) == 0
    (export / "train/README.txt").write_text("new")
    before = Path("data/raw.yaml").read_text()
    capsys.readouterr()
    assert main(["scan", str(export)]) == 0
    assert capsys.readouterr().out.startswith("data/raw.yaml: 8 files\n")
    assert Path("data/raw.yaml").read_text() != before


def test_scan_tells_a_format_that_was_not_set(project, export, capsys):
    assert main(["use", "own-data", "--data", str(export)]) == 0
    values = yaml.safe_load(Path("params.yaml").read_text())
    values["data"]["format"] = "folder"
    Path("params.yaml").write_text(yaml.safe_dump(values))
    capsys.readouterr()
    assert main(["scan"]) == 2
    assert capsys.readouterr().err.startswith(
        f"error: {export}: has no image_labels.csv, but train/_classes.csv: set data.format in params.yaml to "
        "roboflow-csv; then run `auxseg scan`"
    )


def test_roboflow_from_the_export_to_the_manifest(project, export, capsys):
    assert main(["use", "own-data", "--data", str(export)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[1] == (
        "params.yaml: data.format set to roboflow-csv, because of train/_classes.csv (and there is no image_labels.csv)"
    )
    assert printed[-1] == "next: auxseg run"
    out = (Path("data/manifest"), Path("data/masks"), Path("data/contradictions.json"))
    prepare(DataParams.of(read_params()), ["00"], *out)
    records = Dataset(Store()).records()
    assert {record.id: (record.split, record.tags) for record in records} == {
        "train/a": ("train", ("owl",)),
        "train/b": ("train", ("cat",)),
        "valid/a": ("val", ("cat",)),
        "test/a": ("val", ("owl", "cat")),
    }
