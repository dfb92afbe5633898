"""Augmentation: sizes, padding, and that image, label and saliency stay on the same pixels."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from auxseg.params.augmentation import AugmentParams
from auxseg.params.runtime import RuntimeParams
from auxseg.training.augment import Augment, PixelSample, Sample

NO_JITTER = (0.0, 0.0, 0.0, 0.0)


def coded(height, width, block=8):
    """A sample whose image encodes its label and saliency: red = 40 * label, green = 255 * saliency, blue = 200."""
    rows, columns = np.arange(height)[:, None] // block, np.arange(width)[None] // block
    label = ((rows * 2 + columns) % 5).astype(np.uint8)
    salient = ((rows + columns * 3) % 4 == 0).astype(np.float32)
    image = np.stack([40 * label, 255 * salient, np.full_like(salient, 200)]).astype(np.uint8)
    return PixelSample(
        torch.from_numpy(image), torch.ones(3), torch.from_numpy(label)[None], torch.from_numpy(salient)[None]
    )


def params(**values):
    return AugmentParams(**{"crop": 48, "jitter": NO_JITTER, "flip": False, **values})


def augment(sample, seed, **values):
    torch.manual_seed(seed)
    return Augment(params(**values))(sample)


@given(st.integers(0, 200), st.integers(20, 90), st.integers(20, 90))
def test_crop_takes_a_window_and_pads_beyond_the_image(seed, height, width):
    """Quirk 6: padding has the label 255 and no saliency label; the released code calls it background."""
    sample = coded(height, width)
    found = augment(sample, seed)
    assert found.image.shape == (3, 48, 48)
    inside = found.image[2] == 200
    assert inside.sum() == min(48, height) * min(48, width)  # as much of the image as can be shown
    assert (found.image[:, ~inside] == 127).all()
    assert (found.label[0][~inside] == 255).all()
    assert (found.saliency[0][~inside] == -1).all()
    # every row and column of the window is in the original, so it is a window and nothing else
    y, x = (int(value) for value in inside.nonzero()[0])
    part = found.image[:, y : y + min(48, height), x : x + min(48, width)]
    starts = [
        (top, left)
        for top in range(max(1, height - 47))
        for left in range(max(1, width - 47))
        if torch.equal(sample.image[:, top : top + 48, left : left + 48], part)
    ]
    assert starts


def test_padding_as_background():
    """Quirk 6 brought back: 0 and not salient beyond the image; image and crop are the same."""
    sample = coded(30, 60)
    for seed in range(10):
        ours, theirs = augment(sample, seed), augment(sample, seed, padding="background")
        outside = ours.label == 255
        assert outside.sum() == 18 * 48
        assert (theirs.label[outside] == 0).all()
        assert (theirs.saliency[outside] == 0).all()
        assert torch.equal(theirs.label[~outside], ours.label[~outside])
        assert torch.equal(theirs.saliency[~outside], ours.saliency[~outside])
        assert torch.equal(theirs.image, ours.image)


@given(st.integers(0, 200), st.booleans())
def test_image_label_and_saliency_stay_together(seed, long):
    scale = {"resize_long": (50, 120)} if long else {"scale": (0.7, 1.3)}
    found = augment(coded(56, 72, block=14), seed, flip=True, **scale)
    red, green, _ = found.image.float()
    label, saliency = found.label[0], found.saliency[0]
    # compare where the colours are not mixed by interpolation: inside blocks
    pure = (label != 255) & ((red / 40 - (red / 40).round()).abs() < 0.02) & ((green < 3) | (green > 252))
    same = torch.ones(48, 48, dtype=torch.bool)
    for dy, dx in ((0, 2), (0, -2), (2, 0), (-2, 0)):
        same &= torch.roll(label, (dy, dx), (0, 1)) == label
    inner = pure & same
    inner[:2], inner[-2:], inner[:, :2], inner[:, -2:] = False, False, False, False
    assert inner.sum() > 100
    assert (label[inner] == (red / 40).round()[inner]).all()
    known = label != 255
    assert ((saliency * 255 - green).abs()[known] <= 2).all()
    assert torch.equal(known, saliency >= 0)


@given(st.integers(0, 100))
def test_labels_are_never_mixed(seed):
    label = torch.tensor([0, 200], dtype=torch.uint8).repeat(30, 30)[None]
    sample = PixelSample(torch.zeros(3, 30, 60, dtype=torch.uint8), torch.ones(1), label, torch.zeros(1, 30, 60))
    found = augment(sample, seed, scale=(0.7, 1.3))
    assert set(found.label.unique().tolist()) <= {0, 200, 255}


@pytest.mark.parametrize("factor", [0.7, 0.8, 1.0, 1.3, 2.0])
def test_label_of_the_mirrored_image_is_the_mirrored_label(factor):
    """A label taken from the nearest pixel's corner instead of its centre would move half a pixel to one side.

    Flip and scale therefore commute: quirk 5's order (scale, flip, crop) needs no parameter.
    """
    sample = coded(41, 53, block=5)  # odd sides: no output pixel's centre falls between two input pixels
    mirrored = PixelSample(sample.image.flip(2), sample.classes, sample.label.flip(2), sample.saliency.flip(2))
    values = {"scale": (factor, factor), "crop": round(53 * factor)}
    plain, turned = augment(sample, 0, **values), augment(mirrored, 0, **values)
    assert torch.equal(turned.label, plain.label.flip(2))
    assert (turned.image.int() - plain.image.flip(2).int()).abs().max() <= 1
    torch.testing.assert_close(turned.saliency, plain.saliency.flip(2))


def test_flip_mirrors_everything_half_of_the_time():
    sample = coded(48, 48)
    flipped = 0
    for seed in range(200):
        found = augment(sample, seed, flip=True)
        if torch.equal(found.image, sample.image):
            assert torch.equal(found.label, sample.label)
            assert torch.equal(found.saliency, sample.saliency)
        else:
            flipped += 1
            assert torch.equal(found.image, sample.image.flip(2))
            assert torch.equal(found.label, sample.label.flip(2))
            assert torch.equal(found.saliency, sample.saliency.flip(2))
    assert 70 < flipped < 130


def test_scale_is_drawn_for_every_image_from_the_whole_range():
    """Quirk 5: the released code draws one scale for a batch."""
    augmentation = Augment(params(crop=256, scale=(0.5, 2.0)))
    torch.manual_seed(0)
    sides = []
    for _ in range(60):
        found = augmentation(Sample(torch.zeros(3, 100, 50, dtype=torch.uint8), torch.ones(1)))
        sides.append(int((found.image[0] == 0).any(dim=1).sum()))
    assert len(set(sides)) > 40
    assert 50 <= min(sides) < 65
    assert 185 < max(sides) <= 200


def test_resize_long_draws_the_longer_side_and_keeps_the_shape():
    augmentation = Augment(params(crop=128, resize_long=(40, 42)))
    torch.manual_seed(0)
    sizes = set()
    for _ in range(40):
        shown = augmentation(Sample(torch.zeros(3, 100, 50, dtype=torch.uint8), torch.ones(1))).image[0] == 0
        sizes.add((int(shown.any(dim=1).sum()), int(shown.any(dim=0).sum())))
    assert sizes == {(40, 20), (41, 20), (42, 21)}


def test_crop_position_reaches_both_ends():
    sample, offsets = coded(48, 51), set()
    for seed in range(60):
        found = augment(sample, seed)
        offsets |= {left for left in range(4) if torch.equal(found.image, sample.image[:, :, left : left + 48])}
    assert offsets == {0, 1, 2, 3}


def test_jitter_changes_colours_of_the_image_alone():
    sample = coded(48, 48)
    found = augment(sample, 1, jitter=(0.3, 0.3, 0.3, 0.1))
    assert not torch.equal(found.image, sample.image)
    assert found.image.dtype == torch.uint8
    assert torch.equal(found.label, sample.label)
    assert torch.equal(found.saliency, sample.saliency)
    assert torch.equal(found.classes, sample.classes)


GREY = np.array([0.299, 0.587, 0.114])
"""Of red, green and blue in a grey value, by ITU-R BT.601."""


@pytest.mark.parametrize("position", range(4))
def test_each_value_of_jitter_changes_what_its_place_says(position):
    """brightness scales all values; contrast keeps the mean grey, saturation each pixel's, hue its largest value."""
    random = torch.Generator().manual_seed(0)
    image = torch.randint(60, 140, (3, 40, 40), generator=random, dtype=torch.uint8)
    sample = PixelSample(image, torch.ones(1), image[:1] * 0, image[:1] * 0.0)
    jitter = [0.0] * 4
    jitter[position] = 0.3
    torch.manual_seed(3)
    found = Augment(params(crop=40, jitter=tuple(jitter)))(sample).image
    before, after = image.double(), found.double()
    grey_before, grey_after = (np.tensordot(GREY, part.numpy(), 1) for part in (before, after))
    keeps_grey = bool(np.abs(grey_after - grey_before).max() < 1.5)
    keeps_largest = bool((after.amax(dim=0) - before.amax(dim=0)).abs().max() <= 1)
    keeps_mean_alone = bool(abs(grey_after.mean() - grey_before.mean()) < 1 and not keeps_grey and not keeps_largest)
    scales = float((after / before).std()) < 0.01
    assert [scales, keeps_mean_alone, keeps_grey, keeps_largest] == [place == position for place in range(4)]


def test_nothing_switched_on_leaves_the_sample():
    sample = coded(48, 48)
    found = augment(sample, 0)
    assert torch.equal(found.image, sample.image)
    assert torch.equal(found.label, sample.label)


def test_a_large_sample_is_reduced_before_it_is_scaled():
    photo = torch.zeros(3, 200, 400, dtype=torch.uint8)
    photo[:, :, :200] = 250
    params = AugmentParams(crop=50, scale=(1.0, 1.0), flip=False, jitter=(0, 0, 0, 0))
    sample = Augment(params, RuntimeParams.model_construct(max_side=50, min_side=None))(
        PixelSample(photo, torch.zeros(1), photo[:1] // 250, photo[:1] / 250)
    )
    # 200 x 400 becomes 25 x 50: the crop holds all of it, and padding
    assert int((sample.label == 1).sum()) == 25 * 25
    assert int((sample.label == 255).sum()) == 25 * 50
