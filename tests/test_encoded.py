"""Labels and saliency maps are read back as they were, from PNGs whose bytes are looked at."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image
from raw_png import header_of

from auxseg.encoded import PALETTE, colourise, decode_grey, decode_indices, encode_grey, encode_label


@pytest.mark.parametrize("highest", [1, 3, 15, 20])
def test_label_png_is_8_bit_with_256_colours_whatever_the_number_of_classes(highest):
    label = np.array([[0, 1, highest], [255, 255, 0]], np.uint8)
    png = encode_label(label)
    assert header_of(png) == (8, 3, 256)
    with Image.open(io.BytesIO(png)) as image:
        assert image.mode == "P"
        assert np.array_equal(np.asarray(image), label)
        colours = np.asarray(image.convert("RGB"))
    assert colours[1, 0].tolist() == [224, 224, 192]
    assert colours[0, 1].tolist() == [128, 0, 0]
    assert np.array_equal(colours, colourise(label))


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_label_round_trip(label):
    png = encode_label(label)
    assert np.array_equal(decode_indices(png), label)
    assert np.array_equal(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[..., ::-1], PALETTE[label])


@pytest.mark.parametrize("label", [np.array([[256]]), np.array([[-1]]), np.array([[0.5]])])
def test_label_out_of_range_is_a_programming_error(label):
    with pytest.raises(ValueError, match=r"within 0\.\.255"):
        encode_label(label)


def test_voc_palette_against_the_devkit():
    """The first 21 colours as published with the VOC devkit."""
    published = (
        "000000 800000 008000 808000 000080 800080 008080 808080 400000 c00000 408000 c08000 400080 c00080 "
        "408080 c08080 004000 804000 00c000 80c000 004080"
    )
    assert " ".join(bytes(colour).hex() for colour in PALETTE[:21].tolist()) == published


def test_saliency_png_is_grey_and_not_black():
    values = np.array([[0.0, 0.06, 0.5, 1.0]], np.float32)
    png = encode_grey(values)
    assert header_of(png) == (8, 0, 0)
    with Image.open(io.BytesIO(png)) as image:
        assert image.mode == "L"
        assert np.asarray(image).tolist() == [[0, 15, 128, 255]]
        assert np.asarray(image.convert("RGB"))[0, :, 0].tolist() == [0, 15, 128, 255]


@settings(max_examples=40, deadline=None)
@given(arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=20), elements=st.floats(0, 1, width=32)))
def test_saliency_round_trip_within_half_a_level(values):
    assert np.abs(decode_grey(encode_grey(values)) - values).max() <= 0.5 / 255 + 1e-6


def test_saliency_with_nan_is_rejected():
    with pytest.raises(ValueError, match="NaN"):
        encode_grey(np.array([[np.nan]]))
