"""Masks that contradict the image-level labels: counts, the likeliest cause, and when it is an error."""

import json

import numpy as np
import pytest
from builders import lines, mask, photo
from PIL import Image

from auxseg.datasets.contradictions import Contradiction, Contradictions, MaskedImage, find_contradictions
from auxseg.datasets.manifest import ClassTable
from auxseg.datasets.mask_order import other_order, other_palettes
from auxseg.datasets.prepare import prepare
from auxseg.errors import DataError
from auxseg.images import PALETTE
from auxseg.params.data import DataParams

CLASSES = ClassTable(("cat", "dog", "cow"), (8, 12, 10))
NAMES = {"cat": 8, "dog": 12, "cow": 10}


def image(number, tags, shown, split="train"):
    return MaskedImage(f"i{number}", split, f"masks/i{number}.png", frozenset(tags), frozenset(shown))


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs `prepare` on images with tags and writes their masks by another function."""

    def prepared(rows, write_mask, **values):
        root = tmp_path / "raw"
        lines(root / "image_labels.csv", "image_id,labels,split", *(f"i{n},{';'.join(t)},train" for n, t in rows))
        for number, names in rows:
            photo(root / f"images/i{number}.png")
            write_mask(root / f"masks/i{number}.png", number, names)
        monkeypatch.setenv("AUXSEG_DATA", str(root))
        data = {"format": "folder", "classes": NAMES, "folder": {"masks": "masks"}, **values}
        path = tmp_path / "out/contradictions.json"
        prepare(DataParams.parse(data), ["00"], tmp_path / "out/manifest", tmp_path / "out/masks", path)
        return json.loads(path.read_text())

    return prepared


TEN = [(n, [("cat",), ("dog",), ("cat", "cow"), ("cow", "dog"), ("cow",)][n % 5]) for n in range(10)]
"""Ten images: eight of them show cat or dog but not both, two only a cow."""


def test_agreement_says_nothing(run, caplog):
    found = run(TEN, lambda path, _, names: mask(path, [NAMES[name] for name in names]))
    assert found == {"compared": 10, "images": [], "message": ""}
    assert "contradict" not in caplog.text


def test_swapped_values_are_an_error_that_names_the_pair(run, tmp_path):
    """Eight of ten masks have cat's value for dog and dog's for cat."""
    swapped = {"cat": 12, "dog": 8, "cow": 10}
    with pytest.raises(DataError) as error:
        run(TEN, lambda path, _, names: mask(path, [swapped[name] for name in names]))
    text = str(error.value)
    assert "8 of 10 masks contradict the image-level labels, first masks/i0.png, which does not show 'cat'" in text
    assert "The mask values of 'cat' and 'dog' are probably swapped: with {cat: 12, dog: 8} in data.classes" in text
    assert "8 of 8 images that disagree on them would agree" in text and "\n" not in text
    assert not (tmp_path / "out").exists()
    found = run(TEN, lambda path, _, names: mask(path, [swapped[name] for name in names]), classes=swapped)
    assert found["images"] == []  # the advice is right


def test_palettes_that_an_optimiser_reordered_name_two_files(run):
    """Each file has its classes under values 1, 2, …, by an order of its own; the colours are still right."""

    def write(path, number, names):
        path.parent.mkdir(parents=True, exist_ok=True)
        order = [0, 8, 12, 10]
        order = [0, *np.roll(order[1:], number % 3)]
        values = [0, 8, 12, 10]
        pixels = np.zeros((4, 6), np.uint8)
        for column, name in enumerate(names):
            pixels[0, column] = values[order.index(NAMES[name])]
        palette = np.zeros((256, 3), np.uint8)
        palette[values] = PALETTE[order]
        saved = Image.fromarray(pixels)
        saved.putpalette(palette.tobytes())
        saved.save(path, bits=8)

    with pytest.raises(DataError) as error:
        run(TEN, write)
    text = str(error.value)
    assert "The palettes differ between files: the colour #" in text
    assert text.count("masks/i") == 3  # the first that contradicts, and two whose palettes differ
    assert "re-ordered" in text


def test_a_minority_is_a_warning_with_counts(run, caplog):
    found = run(TEN, lambda path, n, names: mask(path, [8] if n == 1 else [NAMES[name] for name in names]))
    assert found["compared"] == 10
    assert found["images"] == [{"id": "i1", "split": "train", "not_shown": ["dog"], "not_tagged": ["cat"]}]
    assert found["message"] in caplog.text
    assert found["message"].startswith("1 of 10 masks contradict the image-level labels, first masks/i1.png, which ")
    assert "set data.tags to partial" in found["message"]


def test_a_class_with_the_value_of_the_background(run):
    """Cat and background exchanged: nearly every mask shows a cat, and few labels name one."""
    swapped = {0: 8, 8: 0}
    rows = [(n, [("dog",), ("cow", "dog"), ("cat", "dog")][n % 3]) for n in range(9)]
    with pytest.raises(
        DataError, match=r"'cat' is in 9 of 9 masks and in the labels of 3: its mask value 8 is probably"
    ):
        run(
            rows,
            lambda path, _, names: mask(path, [swapped.get(value, value) for value in (0, *map(NAMES.get, names))]),
        )


def test_partial_labels_may_lack_classes_of_the_mask(run):
    def everything(path, _, names):
        mask(path, [8, 12, 10])

    with pytest.raises(DataError, match=r"10 of 10 masks .* set data\.tags to partial\. More than half contradict"):
        run(TEN, everything)
    assert run(TEN, everything, tags="partial")["images"] == []
    with pytest.raises(DataError, match=r"8 of 10 masks .* does not show 'cat'"):
        run(TEN, lambda path, _, names: mask(path, [10]), tags="partial")


def test_half_is_not_most():
    assert not Contradictions(2, (Contradiction("a", "train", ("cat",), ()),)).are_most
    assert Contradictions(1, (Contradiction("a", "train", ("cat",), ()),)).are_most
    assert not Contradictions(0).are_most


def test_val_images_without_labels_are_not_compared():
    images = [image(0, (), (1,), "val"), image(1, (), (1,)), image(2, (2,), (2,), "val")]
    found = find_contradictions(images, CLASSES, "complete", CLASSES.values)
    assert (found.compared, [one.id for one in found.images]) == (2, ["i1"])
    assert found.images[0].not_tagged == ("cat",)


def test_three_classes_in_a_ring():
    """Every mask shows the next class; the order of data.classes that the message gives is the inverse."""
    tags = np.eye(3, dtype=bool)[[0, 1, 2, 0, 1, 2]]
    (text,) = other_order(tags, np.roll(tags, 1, axis=1), CLASSES.names, CLASSES.values, partial=False)
    assert "'cat', 'dog', 'cow' are probably in another order: with {cat: 12, dog: 10, cow: 8}" in text


def test_two_slips_among_many_are_no_swap():
    tags = np.eye(3, dtype=bool)[[0, 1] * 10]
    shown = tags.copy()
    shown[[0, 1]] = shown[[1, 0]]
    assert list(other_order(tags, shown, CLASSES.names, CLASSES.values, partial=False)) == []


def test_palettes_of_one_colour_mean_nothing():
    black = [("a.png", ((1, 0), (2, 0))), ("b.png", ((2, 0), (1, 0)))]
    assert other_palettes(black, CLASSES) == ""
    assert other_palettes([("a.png", ((1, 9),)), ("b.png", ((1, 9), (2, 5)))], CLASSES) == ""
    text = other_palettes([("a.png", ((1, 0x800000),)), ("b.png", ((2, 0x800000),))], CLASSES)
    assert "the colour #800000 has value 8 in a.png and 12 in b.png" in text


def test_round_trip_and_a_damaged_file(tmp_path):
    found = Contradictions(3, (Contradiction("a", "val", ("cat",), ("dog", "cow")),), "1 of 3")
    found.write(tmp_path / "x.json")
    assert Contradictions.read(tmp_path / "x.json") == found
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(DataError, match=r"x\.json: not readable .* run the stage prepare again"):
        Contradictions.read(tmp_path / "x.json")


def test_swapped_classes_from_0_on_are_named_by_the_values_in_the_files(run):
    swapped = {"cat": 1, "dog": 0, "cow": 2}
    values = {"classes": {"cat": 0, "dog": 1, "cow": 2}, "background": None}
    with pytest.raises(DataError, match=r"with \{cat: 1, dog: 0\} in data\.classes 8 of 8"):
        run(
            TEN,
            lambda path, _, names: mask(path, [swapped[n] for n in names for _ in range(24 // len(names))]),
            **values,
        )


def test_swapped_colours_are_no_swapped_mask_values(run, tmp_path):
    lines(tmp_path / "raw/colours.csv", "name,r,g,b", "cat,1,1,1", "dog,2,2,2", "cow,3,3,3")
    colours = {"cat": 2, "dog": 1, "cow": 3}

    def write(path, _, names):
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.zeros((4, 6, 3), np.uint8)
        pixels[0, : len(names)] = [[colours[name]] * 3 for name in names]
        Image.fromarray(pixels).save(path)

    with pytest.raises(DataError, match=r"8 of 10 masks contradict .* Most often 'cat' not shown in") as error:
        run(TEN, write, classes=list(NAMES), colours="colours.csv")
    assert "probably swapped" not in str(error.value) and "mask values" not in str(error.value)


def test_masks_without_a_class_are_told_by_their_form(run):
    with pytest.raises(DataError, match=r"none of 10 masks shows a class: 0 is background, .*\(8 is cat\); save"):
        run(TEN, lambda path, *_: mask(path))
    with pytest.raises(DataError, match=r"none of 10 masks shows a class: 0 is background, 8 is cat, 10 is cow, 12 is"):
        run(TEN, lambda path, *_: mask(path), void=[254])
