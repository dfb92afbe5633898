"""`auxseg use` and `auxseg scan`: presets, the data root, and what the data folder contains."""

from pathlib import Path

import pytest
import yaml
from PIL import Image

from auxseg.cli.main import main
from auxseg.params.dag import PARAMS_FILE
from auxseg.params.presets import render_preset
from auxseg.params.yaml_file import read_yaml

ROOT = Path(__file__).resolve().parents[2]


def test_use_lists_copies_and_suggests(project, capsys):
    assert main(["use"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert any(line.startswith("demo ") and "embedded scenes" in line for line in listed)
    assert main(["use", "dmo"]) == 2
    assert "no preset 'dmo'; did you mean 'demo'?" in capsys.readouterr().err
    Path("params.yaml").write_text("rubbish: 1\n")
    assert main(["use", "demo"]) == 0
    assert Path("params.yaml").read_text() == render_preset(ROOT / "params/presets/demo.yaml")
    assert "the previous one is params.old.yaml" in capsys.readouterr().out
    assert main(["use", "smoke"]) == 0
    assert "the previous one" not in capsys.readouterr().out  # it was the demo's


def test_use_takes_the_path_of_a_preset_too(project, tmp_path_factory, capsys):
    assert main(["use", "params/presets/smoke.yaml"]) == 0
    assert capsys.readouterr().out.startswith("params.yaml is now params/presets/smoke.yaml")
    before = Path("params.yaml").read_text()
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "green.yaml"
    elsewhere.write_text("extends: demo\n")
    assert main(["use", str(elsewhere)]) == 2
    error = f"error: {elsewhere}: not in params/presets; copy it there, then `auxseg use green`\n"
    assert capsys.readouterr().err == error
    assert Path("params.yaml").read_text() == before


@pytest.mark.parametrize(
    ("backbone", "decoder", "key"),
    [
        ("{name: 'timm:vit_tiny_patch16_244', weights: random}", "null", "backbone.name"),
        ("{name: 'timm:resnet10t', weights: random, layer: 3}", "null", "backbone.layer"),
        ("{name: 'timm:vit_tiny_patch16_224', weights: random}", "64", "network.decoder"),
    ],
)
def test_a_network_that_there_is_not_is_found_before_the_run(project, backbone, decoder, key, capsys):
    preset = Path("params/presets/mine.yaml")
    preset.write_text(f"# Mine.\n\nextends: demo\nbackbone: {backbone}\nnetwork: {{decoder: {decoder}}}\n")
    assert main(["check", str(preset)]) == 2
    assert capsys.readouterr().err.startswith(f"error: {preset}: key '{key}': ")
    for command in (["use", "mine"], ["scan"], ["check"], ["run"]):
        assert main(command) == 2
        captured = capsys.readouterr()
        assert captured.err.startswith(f"error: params.yaml: key '{key}': ") and "next:" not in captured.out


def test_a_decoder_that_finds_its_features_is_valid(project, capsys):
    Path("params/presets/mine.yaml").write_text("# Mine.\n\nextends: demo\nnetwork: {decoder: 64}\n")
    assert main(["check", "params/presets/mine.yaml"]) == 0


def test_use_with_data_remembers_and_scans(project, tmp_path_factory, capsys):
    photos = tmp_path_factory.mktemp("photos")
    (photos / "images").mkdir()
    (photos / "images/a.jpg").write_bytes(b"x")
    assert main(["use", "mine", "--data", str(photos)]) == 2  # without labels; the scan is written all the same
    assert yaml.safe_load(Path("params.local.yaml").read_text()) == {"data_root": str(photos)}
    assert yaml.safe_load(Path("data/raw.yaml").read_text())["files"] == 1
    (photos / "image_labels.csv").write_text("image_id,labels\na,cat\n")
    assert main(["scan"]) == 0
    assert "data/raw.yaml: 2 files" in capsys.readouterr().out
    # back to the demo, whose scenes are no files
    assert main(["use", "demo"]) == 0
    assert yaml.safe_load(Path("data/raw.yaml").read_text())["files"] == 0


def test_use_keeps_a_params_yaml_of_ones_own(project, capsys):
    assert main(["use", "demo"]) == 0
    own = Path("params.yaml").read_text().replace("tau: 1.0", "tau: 2.0")
    Path("params.yaml").write_text(own)
    capsys.readouterr()
    assert main(["use", "smoke"]) == 0
    assert "the previous one is params.old.yaml" in capsys.readouterr().out
    assert main(["use", "demo"]) == 0  # from a preset as it came: nothing to keep
    assert "params.old.yaml" not in capsys.readouterr().out
    assert Path("params.old.yaml").read_text() == own


@pytest.mark.parametrize(
    ("local", "message"),
    [
        ("data_root: /nowhere\n", "data root '/nowhere' is not a folder"),
        ("data_root: ''\n", "is empty"),
        ("data_root: 5\n", "expected `data_root: FOLDER`"),
        ("data_root: [\n", "not YAML"),
    ],
)
def test_use_with_a_wrong_data_root_changes_nothing(project, local, message, capsys):
    before = Path("params.yaml").read_text()
    Path("params.local.yaml").write_text(local)
    assert main(["use", "mine"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: params.local.yaml") and message in error and error.count("\n") == 1
    assert Path("params.yaml").read_text() == before


def test_an_empty_data_root_is_not_the_current_folder(project, monkeypatch, capsys):
    monkeypatch.setenv("AUXSEG_DATA", "")
    assert main(["use", "mine"]) == 2
    assert capsys.readouterr().err == "error: AUXSEG_DATA: is empty; give the folder that holds the data set\n"


def test_scan_tells_where_images_are_expected(project, tmp_path_factory, capsys):
    photos = tmp_path_factory.mktemp("photos")
    (photos / "images").write_text("a file")
    (photos / "image_labels.csv").touch()
    assert main(["use", "mine", "--data", str(photos)]) == 2
    printed = capsys.readouterr()
    assert printed.out.startswith("params.yaml is now params/presets/mine.yaml")
    assert printed.err == (
        f"error: {photos}/images: missing; add it, or correct data.folder.images in params.yaml; then run "
        "`auxseg scan` (the stage `prepare` rejects the data set as it is)\n"
    )
    assert "next:" not in printed.out and yaml.safe_load(Path("data/raw.yaml").read_text())["files"] == 2


def test_scan_tells_what_is_in_a_folder_of_ones_own(project, tmp_path_factory, capsys):
    photos = tmp_path_factory.mktemp("photos")
    (photos / "images").mkdir()
    for name in ("a", "b", "c"):
        Image.new("RGB", (4, 4)).save(photos / f"images/{name}.jpg")
    table = photos / "image_labels.csv"
    table.write_text('image_id,labels\na,"cat, dog"\nb,Dog;\nd,cat\n')
    assert main(["use", "mine", "--data", str(photos)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.splitlines()[2:] == [
        "2 train and 0 val images, 2 classes, 0 masks",
        "classes (from the labels): cat 1, dog 2",
        "note: labels: 'Dog' (1 image) is read as 'dog' (1 image)",
        "note: 1 row has no image in the folder and is left out: d; add the images, or remove the rows",
        "note: 1 image has no row in the CSV and is left out: c; add rows, or segment them with `auxseg predict` once "
        "there is a model",
        "note: class 'dog' is in every train image: the classifier cannot learn what distinguishes it, and its CAM "
        "means little; add images without it (an empty cell of labels means: no object)",
        "note: 2 classes have fewer than 10 train images: cat 1, dog 2; more images of them help most",
        "note: 2 train images are few: expect usable labels for them, but a model that is 10 to 20 mIoU worse on other "
        "images (docs/own-data.md); more images help it most",
        "next: auxseg run",
    ]
    table.write_text("image_id,labels\na,cat [old] one\n")
    assert main(["scan"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {table} line 2: label 'cat [old] one' has a [ inside; ")
    assert error.endswith(
        "; then run `auxseg scan` (the stage `prepare` rejects the data set as it is; `auxseg check --data` lists all "
        "problems)\n"
    )
    assert error.count("\n") == 1


def test_what_prepare_rejects_changes_the_scan_all_the_same(project, tmp_path_factory):
    """Otherwise a run after a failed scan would take results of the files before."""
    photos = tmp_path_factory.mktemp("photos")
    (photos / "images").mkdir()
    Image.new("RGB", (4, 4)).save(photos / "images/a.jpg")
    (photos / "image_labels.csv").write_text("image_id,labels\na,cat\n")
    assert main(["use", "mine", "--data", str(photos)]) == 0
    before = Path("data/raw.yaml").read_text()
    (photos / "image_labels.csv").write_text("image_id,labels\na,\n")
    assert main(["scan"]) == 2
    assert Path("data/raw.yaml").read_text() != before


@pytest.mark.parametrize(("labels", "file"), [("csv", "image_labels.csv"), ("xml", "Annotations")])
def test_scan_misses_images_and_labels_in_the_voc_layout(project, tmp_path_factory, labels, file, capsys):
    root = tmp_path_factory.mktemp("voc")
    assert main(["use", "mine", "--data", str(root)]) == 2
    values = read_yaml(PARAMS_FILE)
    values["data"] |= {"format": "voc", "labels": labels}
    Path("params.yaml").write_text(yaml.safe_dump(values))
    capsys.readouterr()
    assert main(["scan"]) == 2
    assert capsys.readouterr().err.startswith(f"error: {root}/JPEGImages and {root}/{file}: missing; add them, or ")


@pytest.mark.parametrize("seeds", ["seeds/../truth", "truth/train"])
def test_masks_are_not_taken_as_seeds_or_maps(project, tmp_path_factory, seeds, capsys):
    """The figures would be called weakly supervised, and be those of the masks."""
    photos = tmp_path_factory.mktemp("photos")
    (photos / "truth/train").mkdir(parents=True)
    assert main(["use", "mine", "--data", str(photos)]) == 2
    values = read_yaml(PARAMS_FILE)
    values["data"]["folder"]["masks"] = "truth"
    values["labels"] |= {"initial": "precomputed", "path": seeds}
    Path("params.yaml").write_text(yaml.safe_dump(values))
    assert main(["scan"]) == 2
    assert "key 'labels.path': " in (error := capsys.readouterr().err) and "holds the masks" in error
    assert read_yaml(PARAMS_FILE)["labels"]["sha256"] is None


def test_no_folder_of_masks_of_the_voc_layout_is_taken_as_seeds(project, tmp_path_factory, capsys):
    photos = tmp_path_factory.mktemp("photos")
    for name in ("SegmentationClass", "SegmentationClassAug"):
        (photos / name).mkdir()
    assert main(["use", "mine", "--data", str(photos)]) == 2
    values = read_yaml(PARAMS_FILE)
    values["data"]["format"] = "voc"
    values["labels"] |= {"initial": "precomputed", "path": "SegmentationClassAug"}
    Path("params.yaml").write_text(yaml.safe_dump(values))
    assert main(["scan"]) == 2
    assert "SegmentationClassAug holds the masks" in capsys.readouterr().err


def test_use_with_data_alone_asks_for_the_preset(project, tmp_path, capsys):
    assert main(["use", "--data", str(tmp_path)]) == 2
    assert "--data: name a preset too" in capsys.readouterr().err


def test_use_without_a_data_root_says_what_is_next(project, capsys):
    assert main(["use", "mine"]) == 0
    assert "AUXSEG_DATA" in capsys.readouterr().out
    assert main(["scan"]) == 2
    assert capsys.readouterr().err.startswith("error: no data root")


def test_use_with_a_missing_folder_changes_nothing(project, capsys):
    before = Path("params.yaml").read_text()
    assert main(["use", "mine", "--data", "nowhere"]) == 2
    assert "error: --data nowhere: no such folder" in capsys.readouterr().err
    assert Path("params.yaml").read_text() == before
    assert not Path("params.local.yaml").exists()


def test_use_with_data_rejects_another_folder_in_the_environment(project, monkeypatch, capsys):
    before = Path("params.yaml").read_text()
    monkeypatch.setenv("AUXSEG_DATA", str(project / "data"))
    assert main(["use", "mine", "--data", str(project / "params")]) == 2
    assert "AUXSEG_DATA names another folder" in capsys.readouterr().err
    assert Path("params.yaml").read_text() == before
