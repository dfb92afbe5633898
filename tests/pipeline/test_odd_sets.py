"""Data sets out of the ordinary, through the real stages to the report: figures that make sense, or one clear line."""

import csv
import math

import numpy as np
import pytest
from odd_sets import CLASSES, Case, Picture, draw, run_stages, several
from PIL import Image

from auxseg.artifacts.rounds import R0, Round
from auxseg.artifacts.tables import read_csv
from auxseg.artifacts.tensors import TensorFile
from auxseg.audit.scripts import read_data_script
from auxseg.encoded import IGNORE
from auxseg.guard.figures import FIGURES, NUMBERS

R1 = Round(1)


def in_mode(seed: int, mode: str, tag: str, split: str) -> Picture:
    """Return an image whose file has another form of pixels."""
    plain = draw(tag, split=split, seed=seed)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(plain.image.convert("L")).astype(np.uint16) * 257)
    else:
        image = plain.image.quantize(16) if mode == "P" else plain.image.convert(mode)
    return Picture(image, plain.mask, plain.tags, split, "tif" if mode == "CMYK" else "png")


FOUR, TWO = (("cat", "train"), ("dog", "train")) * 2, (("cat", "val"), ("dog", "val"))
FORMS = ("L", "RGBA", "CMYK", "P", "I;16", "LA", "1", "RGB")
TWO_ROUNDS = {"rounds": {"r1": "r0", "r2": "r1"}, "label_rounds": ["r0", "r1", "r2"]}
ONE_CLASS = {"data": {"classes": ["cat"]}}
CASES = {
    "one image": Case(
        several(("cat dog", "train")),
        says=("1 train image is few", "are in every train image"),
    ),
    "one image each": Case(several(("cat", "train"), ("dog", "val")), says=("class 'dog' has no train image",)),
    "one class": Case(several(*[("cat", "train")] * 3, ("cat", "val")), ONE_CLASS, says=("in every train image",)),
    "one class, negatives": Case(
        several(("cat", "train"), ("", "train"), ("cat", "train"), ("", "val"), ("cat", "val")),
        ONE_CLASS,
        says=("2 images have no label and are taken as background everywhere: i1, i3",),
    ),
    "a class never in train": Case(
        several(*[("cat", "train"), ("", "train")] * 2, *TWO), says=("class 'dog' has no train image",)
    ),
    "a class never in val": Case(several(*FOUR, ("cat", "val")), TWO_ROUNDS),
    "negatives alone in val": Case(several(*FOUR, ("", "val"))),
    "no saliency": Case(
        several(*FOUR, *TWO),
        saliency=0,
        says=(
            "6 of 6 saliency maps have one value everywhere, so they tell no object from the background: i0, i1",
            "100 % of the image-level labels have no pixel in their initial label. Look at the CAMs and the saliency",
            "data/labels/r0: segmentation cannot learn 2 of 3 classes, because no pixel has their label: cat, dog",
        ),
    ),
    "saliency everywhere": Case(
        several(*FOUR, *TWO),
        saliency=255,
        says=(
            "6 of 6 saliency maps have one value everywhere",
            "the initial labels look poor: 100 % of the initial labels have no background pixel",
            "segmentation cannot learn 1 of 3 classes, because no pixel has their label: background",
        ),
    ),
    "small images": Case(
        several(*FOUR, *TWO, sizes=((5, 7), (1, 1), (3, 400), (7, 5), (400, 3))),
        says=("4 of 6 saliency maps have one value everywhere, so they tell no object from the background: i0, i1, ",),
    ),
    "many sizes": Case(several(*FOUR, *TWO, sizes=((16, 16), (33, 31), (200, 300), (17, 120), (64, 10)))),
    "forms of pixels": Case(
        {
            f"i{seed}": in_mode(seed, mode, CLASSES[seed % 2], "train" if seed < 6 else "val")
            for seed, mode in enumerate(FORMS)
        }
    ),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory, load_stage):
    """A function that returns the run of a case, whose stages run once."""
    runs = {}

    def run(name):
        if name not in runs:
            runs[name] = run_stages(tmp_path_factory.mktemp("odd"), CASES[name], load_stage)
        assert not runs[name].stopped
        return runs[name]

    return run


@pytest.fixture(params=CASES)
def run(request, finished):
    return finished(request.param)


def test_labels_show_tags_background_and_nothing_else(run):
    tags = {record.id: record for record in run.records("train")}
    names = run.table("classes")
    order = ["background", *(row["class"] for row in names[1:])][: len({row["class"] for row in names})]
    for round_ in run.rounds:
        found = run.labels(round_)
        assert found.keys() == tags.keys()
        for name, label in found.items():
            assert label.shape == (tags[name].height, tags[name].width)
            assert set(np.unique(label)) <= {0, IGNORE, *map(order.index, tags[name].tags)}
            assert tags[name].tags or not label.any()
    for round_ in run.rounds[1:]:
        sizes = {record.id: (record.height, record.width) for record in run.records("val")}
        assert {name: one.shape for name, one in run.predictions(round_).items()} == sizes
        assert all(one.max() < len(order) for one in run.predictions(round_).values())


def test_losses_weights_maps_and_figures_are_numbers(run):
    for round_ in run.rounds:
        rows = read_csv(run.store.curve(round_))
        assert len(rows) == 2
        assert all(math.isfinite(float(cell)) for row in rows for cell in row.values())
        assert all(0 < float(row["loss"]) < 20 for row in rows)
        for path in (run.store.weights(round_), run.store.maps(round_, "00")):
            assert all(np.isfinite(values).all() for values in TensorFile(path).values())
        figures = run.figures(round_)
        assert figures.keys() == FIGURES.keys()
        shares = [value for name, value in figures.items() if name not in NUMBERS and value is not None]
        assert all(0 <= value <= 1 for value in shares)
        assert figures["ignored"] is not None and (figures["loss"] is None) == round_.is_initial


def test_miou_is_a_mean_over_the_classes_that_occur(run):
    """Every figure of rounds.csv for labels and final predictions, pixel by pixel."""
    pictures, rows = run.case.pictures, run.table("rounds")
    classes = len(run.case.params.get("data", {}).get("classes", CLASSES)) + 1
    scored = {("labels", round_): run.labels(round_) for round_ in run.rounds}
    if run.records("val"):
        scored |= {("model+ms+crf", round_): run.predictions(round_) for round_ in run.rounds[1:]}
    for (what, round_), found in scored.items():
        ious = []
        for index in range(classes):
            pairs = [(one == index, pictures[name].mask == index) for name, one in found.items()]
            union = sum((one | mask).sum() for one, mask in pairs)
            if union:
                ious.append(sum((one & mask).sum() for one, mask in pairs) / union)
        (row,) = [row for row in rows if (row["what"], row["round"]) == (what, str(round_))]
        assert (int(row["images"]), int(row["classes"])) == (len(found), len(ious))
        assert float(row["miou"]) == pytest.approx(100 * np.mean(ious), abs=1e-3)
    assert {row["set"] for row in rows} == {record.split for record in run.records()}


def test_tables_and_report_are_whole(run):
    for path in run.store.table("x").parent.glob("*.csv"):
        with path.open() as stream:
            cells = [cell for row in csv.reader(stream) for cell in row]
        assert not {"nan", "inf", "-inf"} & {cell.lower() for cell in cells}
    base = read_data_script(run.store.report / "index/base.js")
    ids = sorted(name for split in base["records"].values() for name in split["id"])
    assert ids == sorted(run.case.pictures)
    assert (run.store.report / "index.html").exists()
    for text in run.case.says:
        assert any(text in line for line in run.warnings), run.warnings
    assert run.printed.count("\n") > 3 and "nan" not in run.printed


def test_a_class_never_in_train_is_0_where_masks_show_it(finished):
    run = finished("a class never in train")
    rows = {row["what"]: row for row in run.table("classes") if (row["round"], row["class"]) == ("r1", "dog")}
    assert float(rows["model+ms+crf"]["iou"]) == float(rows["model+ms+crf"]["recall"]) == 0
    assert rows["labels"]["iou"] == rows["labels"]["recall"] == ""
    assert "note: no mask of train shows dog; a class without masks counts as 0 in mIoU where it is" in run.printed


def test_a_class_never_in_val_is_noted_once(finished):
    run = finished("a class never in val")
    assert run.printed.count("no mask of val shows dog;") == 1 and "no mask of train" not in run.printed
    assert "no mask of val shows dog;" in (run.store.report / "tables.html").read_text()
    assert "no mask of val shows cat, dog;" in finished("negatives alone in val").printed


def test_no_saliency_leaves_no_object_and_saliency_everywhere_no_background(finished):
    labels = {
        name: set(np.unique([*finished(name).labels(R0).values()])) for name in ("no saliency", "saliency everywhere")
    }
    assert labels["no saliency"] <= {0, IGNORE} and 0 not in labels["saliency everywhere"]
    assert finished("no saliency").figures(R1)["lost"] == 1
    printed = finished("no saliency").printed
    assert "100 % of the image-level labels have no pixel" in printed and "warning: round 1 is worse" in printed


def test_tags_are_measured_where_they_are_known(finished):
    """By the classifier in r0, by every network after it; without val there is nothing to measure there."""
    for name, has_val in (("one image", False), ("many sizes", True), ("forms of pixels", True)):
        for round_ in finished(name).rounds:
            figures = finished(name).figures(round_)
            assert figures["tag_precision"] > 0 and (figures["val_tag_precision"] is not None) == has_val


STOPS = {
    "negatives alone": (
        Case(several(*[("", "train")] * 3, ("", "val"))),
        "prepare",
        "image_labels.csv: no row has a label; write class names into the column 'labels'",
    ),
    "negatives alone in train": (
        Case(several(*[("", "train")] * 3, ("cat", "val"))),
        "prepare",
        "image_labels.csv: no train image shows one of data.classes (cat, dog); label the images that do",
    ),
    "labels ignored everywhere": (
        Case(several(*FOUR, *TWO), {"labels": {"cam_threshold": 1.0}}, saliency=255),
        "train@r1",
        "data/labels/r0: the labels of all 4 training images are ignored (255) everywhere, so segmentation has nothing "
        "to learn; lower labels.cam_threshold",
    ),
}


@pytest.mark.parametrize("name", STOPS)
def test_what_cannot_be_trained_stops_with_one_line(tmp_path, load_stage, name):
    case, address, message = STOPS[name]
    run = run_stages(tmp_path, case, load_stage)
    assert run.address == address
    assert message in run.stopped and "\n" not in run.stopped
    assert not list(run.folder.glob("data/models/r1*")) and not list(run.folder.glob("data/curves/r1*"))


@pytest.mark.nightly
@pytest.mark.parametrize("backbone", ["resnet18", "efficientnet_lite0"])
@pytest.mark.parametrize("name", ["small images", "many sizes", "forms of pixels"])
def test_real_backbones_take_images_of_any_size(tmp_path, load_stage, name, backbone):
    run = run_stages(tmp_path, CASES[name], load_stage, backbone)
    assert not run.stopped
    test_labels_show_tags_background_and_nothing_else(run)
    test_losses_weights_maps_and_figures_are_numbers(run)
    test_miou_is_a_mean_over_the_classes_that_occur(run)
    test_tables_and_report_are_whole(run)
