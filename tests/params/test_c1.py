"""The preset c1 has the released code's choices; its quirks are off by default, and set alone or together."""

from pathlib import Path

import pytest

from auxseg.errors import ParamsError
from auxseg.params.overrides import defaults, override
from auxseg.params.presets import read_preset
from auxseg.params.registry import SECTIONS

PRESET = Path(__file__).resolve().parents[2] / "params/presets/c1.yaml"
MODELS = {section.key: section for section in SECTIONS}

TOGETHER = {
    "1 momentum": ("train.optimiser.momentum", 1e-5),
    "1 weight decay": ("train.optimiser.weight_decay", 0.0),
    "1 momentum of the classifier": ("classify.optimiser.momentum", 5e-4),
    "1 weight decay of the classifier": ("classify.optimiser.weight_decay", 0.0),
    "5 one scale a batch": ("train.augment.scale_per", "batch"),
    "6 padding is background": ("train.augment.padding", "background"),
    "7 binary saliency": ("train.saliency_target", "binary"),
    "9 3x3 over the matrix": ("network.cross_task.kernel", 3),
    "11 rate of the fusion": ("train.optimiser.cross_task", "pretrained"),
    "weights at the start": ("network.released_init", True),
}
"""What `compatibility: released` sets."""
ALONE = {
    "8 refined CAM as it is": ("propagate.renormalise_cam", False),
    "9 rows as they are": ("network.cross_task.renormalise", False),
}
"""What has a switch of its own: experiments vary it."""
QUIRKS = TOGETHER | ALONE
CHOICES = {
    "backbone.name": "resnet38",
    "backbone.output_stride": 8,
    "network.variant": "auxsegnet",
    "network.channels": 128,
    "network.rates": [6, 12, 18],
    "network.affinity": "cross_task",
    "network.transpose": False,
    "network.scale_dim": False,
    "network.cross_task.scale": "one",
    "train.epochs": 15,
    "train.batch_size": 4,
    "train.dropout": 0.5,
    "train.batch_norm": "frozen",
    "train.frozen_layers": 1,
    "train.optimiser.lr": 0.0007,
    "train.optimiser.new_layers": 10.0,
    "train.optimiser.power": 0.9,
    "train.optimiser.warmup": 0.0,
    "train.optimiser.clip_norm": None,
    "train.loss.classification": 1.0,
    "train.loss.saliency": 1.0,
    "train.loss.segmentation": 1.0,
    "train.augment.crop": 321,
    "train.augment.scale": [0.7, 1.3],
    "train.augment.resize_long": None,
    "train.augment.flip": True,
    "train.augment.jitter": [0.0, 0.0, 0.0, 0.0],
    "labels.cam_threshold": 0.2,
    "labels.saliency_threshold": 0.06,
    "labels.prior_weight": 0.5,
    "labels.saliency_crf.iterations": 1,
    "labels.saliency_crf.gaussian_sxy": 3.0,
    "labels.saliency_crf.gaussian_compat": 3.0,
    "labels.saliency_crf.bilateral_sxy": 60.0,
    "labels.saliency_crf.bilateral_srgb": 5.0,
    "labels.saliency_crf.bilateral_compat": 5.0,
    "evaluate.scales": [1.0],
    "evaluate.flip": False,
    "evaluate.crf.iterations": 10,
    "evaluate.crf.gaussian_sxy": 4.0,
    "evaluate.crf.gaussian_compat": 3.0,
    "evaluate.crf.bilateral_sxy": 83.0,
    "evaluate.crf.bilateral_srgb": 5.0,
    "evaluate.crf.bilateral_compat": 3.0,
    "data.format": "voc",
    "data.labels": "npy",
    "data.train_split": "train_aug",
    "runtime.precision": "float32",
    "rounds": {"r1": "r0", "r2": "r1", "r3": "r2", "r4": "r3"},
}


def complete(values):
    """Return every value that stages see, constants and what `compatibility` sets among them."""
    return values | {section.key: section.of(values).model_dump(mode="json") for section in SECTIONS}


def flat(values, prefix=""):
    """Return the values of nested maps by their keys, joined with dots."""
    found = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return found


@pytest.fixture(scope="module")
def values():
    return complete(read_preset(PRESET))


def value_at(values, key):
    for part in key.split("."):
        values = values[part]
    return values


@pytest.mark.parametrize(("key", "value"), [*CHOICES.items(), *QUIRKS.values()])
def test_choices_of_the_released_code(values, key, value):
    assert value_at(values, key) == value


@pytest.mark.parametrize(("key", "value"), QUIRKS.values(), ids=QUIRKS)
def test_a_quirk_is_off_by_default(key, value):
    assert value_at(complete(defaults()), key) != value


@pytest.mark.parametrize(("key", "value"), ALONE.values(), ids=ALONE)
def test_a_quirk_that_experiments_vary_can_be_set_alone(key, value):
    section, *groups, last = key.split(".")
    change = {last: value}
    for group in reversed(groups):
        change = {group: change}
    before, after = (flat(complete(one)) for one in (defaults(), override(defaults(), {section: change}, "test")))
    assert {name: after[name] for name in after if after[name] != before[name]} == {key: value}


def test_one_switch_sets_the_quirks_that_travel_together_and_nothing_else():
    released = override(defaults(), {"compatibility": "released"}, "test")
    before, after = flat(complete(defaults())), flat(complete(released))
    changed = {name: after[name] for name in after if after[name] != before[name]}
    assert changed == {"compatibility": "released", **dict(TOGETHER.values())}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.key)
def test_what_the_switch_sets_is_valid(section):
    values = section.of({"compatibility": "released"})
    assert section.model_validate(values.model_dump()) == values


@pytest.mark.parametrize(("key", "value"), TOGETHER.values(), ids=TOGETHER)
def test_a_quirk_of_the_switch_is_no_key_of_its_own(key, value):
    section, *groups, last = key.split(".")
    values = {last: value}
    for group in reversed(groups):
        values = {group: values}
    with pytest.raises(ParamsError) as error:
        MODELS[section].parse(values)
    assert str(error.value) == f"params.yaml: key '{key}' is set by 'compatibility'; delete it"
