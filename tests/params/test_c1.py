"""The preset c1 has the released code's choices, and each of its quirks is off by default and can be set alone."""

from pathlib import Path

import pytest

from auxseg.params.registry import SECTIONS, check

PRESET = Path(__file__).resolve().parents[2] / "params/presets/c1.yaml"
MODELS = {section.key: section for section in SECTIONS}

QUIRKS = {
    "1 momentum": ("train.optimiser.momentum", 1e-5),
    "1 weight decay": ("train.optimiser.weight_decay", 0.0),
    "5 one scale a batch": ("train.augment.scale_per", "batch"),
    "6 padding is background": ("train.augment.padding", "background"),
    "7 binary saliency": ("train.saliency_target", "binary"),
    "8 refined CAM as it is": ("propagate.renormalise_cam", False),
    "9 3x3 over the matrix": ("network.cross_task.kernel", 3),
    "9 rows as they are": ("network.cross_task.renormalise", False),
    "11 rate of the fusion": ("train.optimiser.cross_task", "pretrained"),
    "weights at the start": ("network.released_init", True),
}
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


@pytest.fixture(scope="module")
def values():
    return check(PRESET)


def value_at(values, key):
    for part in key.split("."):
        values = values[part]
    return values


@pytest.mark.parametrize(("key", "value"), [*CHOICES.items(), *QUIRKS.values()])
def test_choices_of_the_released_code(values, key, value):
    assert value_at(values, key) == value


@pytest.mark.parametrize(("key", "value"), QUIRKS.values(), ids=QUIRKS)
def test_a_quirk_is_off_by_default_and_can_be_set_alone(key, value):
    section, *path, last = key.split(".")
    values = MODELS[section]().model_dump()
    group = values
    for part in path:
        group = group[part]
    assert group[last] != value
    group[last] = value
    assert MODELS[section].parse(values).model_dump() == values
