"""Masks with a palette of their own in each file: recognised whatever `data.unlisted` is, with advice that works."""

from pathlib import Path

import numpy as np
import pytest
from builders import TEN, THREE, lines
from PIL import Image

from auxseg.datasets.mask_palettes import other_palettes, palettes_explain
from auxseg.encoded import PALETTE
from auxseg.errors import DataError

FIX = "list the colour of each class, of the background (unless it is black) and of void in a CSV with the columns"
COLOURS = ("name,colour", *(f"{name},#{PALETTE[value].tobytes().hex()}" for name, value in THREE.items()))


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)


def compacted(path: Path, colours: np.ndarray, turn: int = 0) -> None:
    """Write a mask, colour indices of VOC (H, W), with a palette of only its own colours: values 0, 1, 2, …"""
    path.parent.mkdir(parents=True, exist_ok=True)
    used = np.unique(colours)
    order = [used[0], *np.roll(used[1:], turn)]
    pixels = np.zeros(colours.shape, np.uint8)
    for position, colour in enumerate(order):
        pixels[colours == colour] = position
    saved = Image.fromarray(pixels)
    saved.putpalette(PALETTE[order].tobytes())
    saved.save(path, bits=8 if len(order) > 16 else 4)


def shown(names) -> np.ndarray:
    pixels = np.zeros((4, 6), np.uint8)
    pixels[0, : len(names)] = [THREE[name] for name in names]
    return pixels


def write_compacted(path, number, names):
    compacted(path, shown(names), number)


ONE_EACH = [(number, [("cat",), ("dog",), ("cow",)][number % 3]) for number in range(9)]
"""Nine images of one class: each compacted mask has the values 0 and 1."""


def write_reordered(path, number, names):
    """Each file has its classes under the values 8, 10, 12, by an order of its own; the colours are right."""
    path.parent.mkdir(parents=True, exist_ok=True)
    order, values = [0, *np.roll([8, 12, 10], number % 3)], [0, 8, 12, 10]
    pixels = np.zeros((4, 6), np.uint8)
    for column, name in enumerate(names):
        pixels[0, column] = values[order.index(THREE[name])]
    palette = np.zeros((256, 3), np.uint8)
    palette[values] = PALETTE[order]
    saved = Image.fromarray(pixels)
    saved.putpalette(palette.tobytes())
    saved.save(path, bits=8)


def test_palettes_that_an_optimiser_reordered_name_two_files(compare):
    with pytest.raises(DataError) as error:
        compare(TEN, write_reordered)
    text = str(error.value)
    assert "The palettes differ between files: the colour #" in text and FIX in text
    assert text.count("masks/i") == 3  # the first that contradicts, and two whose palettes differ
    assert "re-ordered" in text and "swapped" not in text


@pytest.mark.parametrize("unlisted", ["error", "background", "ignore"])
@pytest.mark.parametrize("rows", [TEN, ONE_EACH], ids=["several classes", "one class"])
def test_compacted_palettes_are_recognised_where_their_values_are_not_listed(compare, tmp_path, rows, unlisted):
    with pytest.raises(DataError) as error:
        compare(rows, write_compacted, unlisted=unlisted)
    text = str(error.value)
    assert "The palettes differ between files: the " in text and FIX in text
    for wrong_advice in ("set data.classes to the values", "add the class to data.classes", "data.unlisted to"):
        assert wrong_advice not in text
    if unlisted != "error":
        assert f"cat #{PALETTE[8].tobytes().hex()}" in text
        assert f"{len(rows)} of {len(rows)} masks that contradict would agree" in text
    lines(tmp_path / "raw/colours.csv", *COLOURS)
    assert compare(rows, write_compacted, unlisted=unlisted, colours="colours.csv")["images"] == []  # it is right


def test_a_few_listed_values_do_not_hide_the_palettes(compare):
    """Of ten classes the compacted values 1 to 3 are listed, but mean other classes: no swapped values."""
    classes = {"cat": 8, "dog": 12, "cow": 10, "bus": 1, "car": 2}
    with pytest.raises(DataError, match=r"palettes differ between files.* 10 of 10 masks that contradict") as error:
        compare(TEN, write_compacted, unlisted="background", classes=classes)
    assert "swapped" not in str(error.value) and "another order" not in str(error.value)


def test_a_single_compacted_mask_among_good_ones(compare, caplog):
    def write(path, number, names):
        if number == 7:
            compacted(path, shown(names))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            saved = Image.fromarray(shown(names))
            saved.putpalette(PALETTE.tobytes())
            saved.save(path, bits=8)

    compare(TEN, write, unlisted="background")
    assert "1 of 10 masks contradict the image-level labels, first masks/i7.png" in caplog.text
    assert "has value 1 in masks/i7.png and 8 in masks/i0.png, so an image optimiser" in caplog.text
    with pytest.raises(
        DataError, match=r"i7\.png: mask values 1, 2 are not in the class table .*\. The palettes differ"
    ):
        compare(TEN, write)


def test_values_that_are_not_listed_are_named_where_there_is_no_palette(compare):
    """The classes have the values 1, 2, 3 in the files, and `unlisted` reads them as background."""
    stored = {"cat": 1, "dog": 2, "cow": 3}

    def write(path, _, names):
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.zeros((4, 6), np.uint8)
        pixels[0, : len(names)] = [stored[name] for name in names]
        Image.fromarray(pixels).save(path)

    with pytest.raises(DataError, match=r"with \{cat: 1, cow: 3, dog: 2\} in data\.classes 10 of 10 masks") as error:
        compare(TEN, write, unlisted="background")
    assert "palettes" not in str(error.value)
    assert compare(TEN, write, unlisted="background", classes=stored)["images"] == []


def test_palettes_of_one_colour_mean_nothing():
    black = [("a.png", ((1, 0), (2, 0))), ("b.png", ((2, 0), (1, 0)))]
    assert other_palettes(black) == ""
    assert other_palettes([("a.png", ((1, 9),)), ("b.png", ((1, 9), (2, 5)))]) == ""
    text = other_palettes([("a.png", ((8, 0x800000),)), ("b.png", ((12, 0x800000),))])
    assert "the colour #800000 has value 8 in a.png and 12 in b.png" in text


def test_a_file_that_agrees_is_no_evidence():
    """Two tools with palettes of their own, and the same values: what contradicts has another cause."""
    good, other = [("a.png", ((8, 5),)), ("b.png", ((12, 5),))], [("c.png", ((10, 7),))]
    assert other_palettes(other, good) == ""
    assert "has value 12 in b.png and 10 in c.png" in other_palettes([("b.png", ((12, 5),))], [("c.png", ((10, 5),))])


def test_palettes_of_two_tools_do_not_explain_swapped_values():
    """Half of the masks have one palette, half another; under both the values of cat and dog are swapped."""
    masks = [(f"{n}.png", (((12, 8)[n % 2], (1, 2)[n % 2] + 100 * (n > 5)),)) for n in range(12)]
    tags = np.eye(2, dtype=bool)[[n % 2 for n in range(12)]]
    assert palettes_explain(masks, tags, np.ones(12, bool), ("cat", "dog"), partial=False) == ""
