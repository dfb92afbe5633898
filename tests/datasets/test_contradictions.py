"""Masks that contradict the image-level labels: counts, the likeliest cause, and when it is an error."""

import numpy as np
import pytest
from builders import TEN, THREE, lines, mask
from PIL import Image

from auxseg.datasets.contradictions import Contradiction, Contradictions, MaskedImage, find_contradictions
from auxseg.datasets.manifest import ClassTable
from auxseg.datasets.mask_order import other_order
from auxseg.errors import DataError

CLASSES = ClassTable(("cat", "dog", "cow"), (8, 12, 10))
NAMES = THREE


def image(number, tags, shown, split="train"):
    return MaskedImage(f"i{number}", split, f"masks/i{number}.png", frozenset(tags), frozenset(shown))


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)


def test_agreement_says_nothing(compare, caplog):
    found = compare(TEN, lambda path, _, names: mask(path, [NAMES[name] for name in names]))
    assert found == {"compared": 10, "images": [], "message": ""}
    assert "contradict" not in caplog.text


def test_swapped_values_are_an_error_that_names_the_pair(compare, tmp_path):
    """Eight of ten masks have cat's value for dog and dog's for cat."""
    swapped = {"cat": 12, "dog": 8, "cow": 10}
    with pytest.raises(DataError) as error:
        compare(TEN, lambda path, _, names: mask(path, [swapped[name] for name in names]))
    text = str(error.value)
    assert "8 of 10 masks contradict the image-level labels, first masks/i0.png, which does not show 'cat'" in text
    assert "The mask values of 'cat' and 'dog' are probably swapped: with {cat: 12, dog: 8} in data.classes" in text
    assert "8 of 8 images that disagree on them would agree" in text and "\n" not in text
    assert not (tmp_path / "out").exists()
    found = compare(TEN, lambda path, _, names: mask(path, [swapped[name] for name in names]), classes=swapped)
    assert found["images"] == []  # the advice is right


def test_a_minority_is_a_warning_with_counts(compare, caplog):
    found = compare(TEN, lambda path, n, names: mask(path, [8] if n == 1 else [NAMES[name] for name in names]))
    assert found["compared"] == 10
    assert found["images"] == [{"id": "i1", "split": "train", "not_shown": ["dog"], "not_tagged": ["cat"]}]
    assert found["message"] in caplog.text
    assert found["message"].startswith("1 of 10 masks contradict the image-level labels, first masks/i1.png, which ")
    assert "set data.tags to partial" in found["message"]


def test_a_class_with_the_value_of_the_background(compare):
    """Cat and background exchanged: nearly every mask shows a cat, and few labels name one."""
    swapped = {0: 8, 8: 0}
    rows = [(n, [("dog",), ("cow", "dog"), ("cat", "dog")][n % 3]) for n in range(9)]
    with pytest.raises(
        DataError, match=r"'cat' is in 9 of 9 masks and in the labels of 3: its mask value 8 is probably"
    ):
        compare(
            rows,
            lambda path, _, names: mask(path, [swapped.get(value, value) for value in (0, *map(NAMES.get, names))]),
        )


def test_partial_labels_may_lack_classes_of_the_mask(compare):
    def everything(path, _, names):
        mask(path, [8, 12, 10])

    with pytest.raises(DataError, match=r"10 of 10 masks .* set data\.tags to partial\. More than half contradict"):
        compare(TEN, everything)
    assert compare(TEN, everything, tags="partial")["images"] == []
    with pytest.raises(DataError, match=r"8 of 10 masks .* does not show 'cat'"):
        compare(TEN, lambda path, _, names: mask(path, [10]), tags="partial")


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


def test_round_trip_and_a_damaged_file(tmp_path):
    found = Contradictions(3, (Contradiction("a", "val", ("cat",), ("dog", "cow")),), "1 of 3")
    found.write(tmp_path / "x.json")
    assert Contradictions.read(tmp_path / "x.json") == found
    for damaged in ("{}", '{"compared": 1e999, "images": [], "message": ""}'):
        (tmp_path / "x.json").write_text(damaged)
        with pytest.raises(DataError, match=r"x\.json: not readable .* run the stage prepare again"):
            Contradictions.read(tmp_path / "x.json")


def test_swapped_classes_from_0_on_are_named_by_the_values_in_the_files(compare):
    swapped = {"cat": 1, "dog": 0, "cow": 2}
    values = {"classes": {"cat": 0, "dog": 1, "cow": 2}, "background": None}
    with pytest.raises(DataError, match=r"with \{cat: 1, dog: 0\} in data\.classes 8 of 8"):
        compare(
            TEN,
            lambda path, _, names: mask(path, [swapped[n] for n in names for _ in range(24 // len(names))]),
            **values,
        )


def test_swapped_colours_are_no_swapped_mask_values(compare, tmp_path):
    lines(tmp_path / "raw/colours.csv", "name,r,g,b", "cat,1,1,1", "dog,2,2,2", "cow,3,3,3")
    colours = {"cat": 2, "dog": 1, "cow": 3}

    def write(path, _, names):
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.zeros((4, 6, 3), np.uint8)
        pixels[0, : len(names)] = [[colours[name]] * 3 for name in names]
        Image.fromarray(pixels).save(path)

    with pytest.raises(DataError, match=r"8 of 10 masks contradict .* Most often 'cat' not shown in") as error:
        compare(TEN, write, classes=list(NAMES), colours="colours.csv")
    assert "probably swapped" not in str(error.value) and "mask values" not in str(error.value)


def test_masks_without_a_class_are_told_by_their_form(compare):
    with pytest.raises(
        DataError,
        match=r"none of 10 masks shows a class: they have the value 0, where 0 .*\(8 is cat\); save",
    ):
        compare(TEN, lambda path, *_: mask(path))
    with pytest.raises(
        DataError,
        match=r"they have the value 0, where 0 is background, 8 is cat, 10 is cow, 12 is",
    ):
        compare(TEN, lambda path, *_: mask(path), void=[254])
