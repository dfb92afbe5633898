"""Class-balanced drawing against its law: how often each image comes up, counted over many passes."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from auxseg.training.balance import describe, draw, image_weights
from auxseg.training.samples import EpochOrder

TAGS = [("dog",)] * 9 + [("cat",)] * 4 + [("cat", "cow"), ()]
WEIGHTS = st.lists(st.floats(0.1, 50), min_size=1, max_size=30)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("balance", "power"), [("sqrt", 0.5), ("inverse", 1)])
def test_an_image_has_the_weight_of_its_rarest_class(balance, power):
    cat, cow = (9 / 5) ** power, 9**power
    assert_allclose(image_weights(TAGS, balance), [1] * 9 + [cat] * 4 + [cow, 1])


@pytest.mark.parametrize("balance", ["sqrt", "inverse"])
def test_nothing_to_balance(balance):
    assert image_weights(TAGS, "none") is None
    assert image_weights([("dog",), ("cat",), ()], balance) is None
    assert image_weights([("dog",), ()], balance) is None
    assert image_weights([(), ()], balance) is None


def test_inverse_shows_classes_equally_often():
    tags = [("dog",)] * 40 + [("cat",)] * 8 + [("cow",)] * 2
    weights = image_weights(tags, "inverse")
    times = np.sum([draw(weights, generator(seed)) for seed in range(100)], axis=0)
    assert_allclose([times[:40].sum(), times[40:48].sum(), times[48:].sum()], 50 * 100 / 3, rtol=0.01)


@given(WEIGHTS, st.integers(0, 99))
def test_draw(weights, seed):
    times = np.array(draw(weights, generator(seed)))
    assert times.sum() == len(weights)
    expected = np.array(weights) / sum(weights) * len(weights)
    assert np.abs(times - expected).max() < 1 + 1e-9


@given(st.integers(1, 200), st.integers(0, 99), st.floats(0.1, 50))
def test_equal_weights_draw_each_image_once(length, seed, weight):
    assert draw([weight] * length, generator(seed)) == [1] * length


@given(WEIGHTS.filter(lambda weights: len(weights) > 1), st.integers(1, 6), st.integers(1, 4), st.integers(1, 5))
def test_a_pass_of_the_order(weights, batch_size, epoch, passes):
    order = EpochOrder(len(weights), batch_size, 3, weights=weights)
    order.epoch, order.passes = epoch, passes
    batches = list(order)
    assert len(batches) == len(order) and {len(batch) for batch in batches} == {order.batch_size}
    for number in range(1, passes + 1):
        drawn = [index[1] for batch in batches for index in batch if index[0] == (epoch - 1) * passes + number]
        assert len(set(drawn)) == len(drawn)  # an image that comes up again has a position of its own
        times = Counter(position % len(weights) for position in drawn)
        for position, weight in enumerate(weights):
            assert times[position] < weight / sum(weights) * len(weights) + 1 + 1e-9


def test_parts_of_two_processes_are_those_of_one():
    weights = [1.0, 1.0, 1.0, 5.0, 2.0, 1.0, 1.0, 1.0]
    whole, *parts = (EpochOrder(8, 4, 0, rank, size, weights=weights) for rank, size in [(0, 1), (0, 2), (1, 2)])
    for batch, *found in zip(whole, *parts, strict=True):
        assert sorted(batch) == sorted(found[0] + found[1])


def test_the_same_image_again_is_augmented_anew(photos):
    samples = photos.samples()
    first, again = samples[1, 0, 0], samples[1, len(samples), 0]
    assert torch.equal(first.classes, again.classes)
    assert not torch.equal(first.image, again.image)


def test_description():
    tags = [("dog",)] * 8 + [("cow",)] * 2
    assert describe(tags, image_weights(tags, "inverse")) == (
        "a pass draws an image of cow (2) 2.5 times, an image of dog (8) 0.6 times"
    )
