"""How long a training is: epochs, steps, or steps chosen from the number of images."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auxseg.errors import ParamsError
from auxseg.params.classify import ClassifyParams
from auxseg.params.train import TrainParams
from auxseg.training.length import training_length

SECTIONS = (ClassifyParams, TrainParams)


def params(section=TrainParams, **values):
    return section.parse({"batch_size": 8, **values})


def test_epochs():
    found = training_length(params(epochs=3), 55)
    assert (found.steps, found.in_epochs) == (18, True)
    assert found.reason == "18 steps of 8 images, 3.0 passes over 55 images (train.epochs: 3)"


def test_steps():
    found = training_length(params(epochs=None, steps=300), 55)
    assert (found.steps, found.in_epochs) == (300, False)
    assert found.reason == "300 steps of 8 images, 50.0 passes over 55 images (train.steps)"


@pytest.mark.parametrize("section", SECTIONS)
@given(st.integers(1, 5_000) | st.integers(1, 100_000))  # where the bounds do not decide, and where they do
def test_auto_stays_within_its_bounds(section, images):
    rule = section.auto_steps
    found = training_length(params(section, epochs=None, steps="auto"), images)
    assert rule.least <= found.steps <= rule.most
    wanted = rule.passes * max(1, images // min(8, images))
    if rule.least <= wanted <= rule.most:
        assert found.steps == wanted
    more = training_length(params(section, epochs=None, steps="auto"), images + 8)
    assert more.steps >= found.steps
    assert str(rule.least) in found.reason and f"{section.key}.steps" in found.reason


@pytest.mark.parametrize("values", [{"epochs": None}, {"epochs": 3, "steps": "auto"}, {"epochs": 3, "steps": 7}])
def test_one_of_the_two(values):
    with pytest.raises(ParamsError, match="key 'train': give epochs or steps and set the other to null"):
        params(**values)


@pytest.mark.parametrize("steps", [0, -1, "many", 1.5, True])
def test_other_values_are_errors(steps):
    with pytest.raises(
        ParamsError, match=r"key 'train\.steps': steps is a whole number from 1 to 10000000, auto, or null"
    ):
        params(epochs=None, steps=steps)
