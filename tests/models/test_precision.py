"""runtime.precision: auto: what it measures, what it keeps, and that a run keeps to one choice."""

import json
import logging

import numpy as np
import pytest
import torch

from auxseg.artifacts.tensors import write_tensors
from auxseg.errors import DataError
from auxseg.models import precision
from auxseg.models.device import allow_tf32
from auxseg.models.precision import choose_precision, fastest, noted_precision, step_seconds
from auxseg.params.backbone import BackboneParams
from auxseg.params.runtime import RuntimeParams

CPU = torch.device("cpu")
AUTO, BACKBONE = RuntimeParams(precision="auto"), BackboneParams(name="resnet18", weights="random")


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Seconds that a measurement finds, by precision; they may be changed. Choices are kept in an empty folder."""
    monkeypatch.setenv("AUXSEG_WEIGHTS", str(tmp_path / "weights"))
    seconds = {"float32": 1.0, "bfloat16": 0.5}
    monkeypatch.setattr(precision, "step_seconds", lambda name, *_: seconds[name])
    return seconds


def no_memory(*_):
    raise torch.OutOfMemoryError


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        ({"float32": 1.0, "bfloat16": 0.89}, "bfloat16"),
        ({"float32": 1.0, "bfloat16": 0.91}, "float32"),
        ({"float32": 1.0, "bfloat16": 2.0}, "float32"),
        ({"float32": 1.0, "tf32": 0.4, "bfloat16": 0.5}, "tf32"),
    ],
)
def test_a_lower_precision_must_pay(seconds, best):
    assert fastest(seconds) == best


def test_a_machine_chooses_once(measured, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    assert choose_precision(AUTO, BACKBONE, CPU).precision == "bfloat16"
    assert "measured seconds of a step: float32 1.000, bfloat16 0.500" in caplog.text
    measured["bfloat16"] = 3.0
    assert choose_precision(AUTO, BACKBONE, CPU).precision == "bfloat16"
    other = BackboneParams(name="resnet50", weights="random")
    assert choose_precision(other_threads(), BACKBONE, CPU).precision == "float32"
    assert choose_precision(AUTO, other, CPU).precision == "float32"
    assert sorted(json.loads((tmp_path / "weights/precision.json").read_text()).values()) == [
        "bfloat16",
        "float32",
        "float32",
    ]


def other_threads():
    return AUTO.model_copy(update={"threads": 7})


@pytest.mark.parametrize("text", ["", "[]", '{"x": "float64"}', "\xff"])
def test_a_damaged_file_of_choices_is_measured_anew(measured, tmp_path, text):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/precision.json").write_text(text, encoding="latin-1")
    assert choose_precision(AUTO, BACKBONE, CPU).precision == "bfloat16"
    assert list(json.loads((tmp_path / "weights/precision.json").read_text()).values()) == ["bfloat16"]


def test_a_folder_that_cannot_be_written(measured, tmp_path):
    (tmp_path / "weights").write_text("a file")
    assert choose_precision(AUTO, BACKBONE, CPU).precision == "bfloat16"


@pytest.mark.parametrize("name", ["float32", "tf32", "bfloat16"])
def test_an_explicit_value_is_not_measured(monkeypatch, name):
    monkeypatch.delattr(precision, "step_seconds")
    try:
        assert choose_precision(RuntimeParams(precision=name), BACKBONE, CPU).precision == name
        assert torch.backends.cudnn.allow_tf32 == torch.backends.cuda.matmul.allow_tf32 == (name == "tf32")
    finally:
        allow_tf32(RuntimeParams(precision="float32"))


def test_a_measurement_leaves_no_trace():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    assert 0 < step_seconds("tf32", BACKBONE, CPU, 2) < 60
    assert torch.equal(torch.get_rng_state(), before)
    allow_tf32(RuntimeParams(precision="float32"))
    assert not torch.backends.cuda.matmul.allow_tf32


@pytest.mark.parametrize(
    ("metadata", "found"),
    [({"precision": "bfloat16"}, "bfloat16"), ({"classes": ["cat"]}, "float32"), (None, "float32"), (3, "float32")],
)
def test_later_stages_follow_the_weights(tmp_path, metadata, found):
    path = tmp_path / "r0.safetensors"
    write_tensors(path, {"w": np.zeros(1, np.float32)}, metadata)
    assert noted_precision(AUTO, path).precision == found
    assert noted_precision(RuntimeParams(precision="tf32"), path).precision == "tf32"


def test_a_note_that_is_no_precision(tmp_path):
    write_tensors(tmp_path / "r0.safetensors", {"w": np.zeros(1, np.float32)}, {"precision": "float8"})
    with pytest.raises(DataError, match=r"r0\.safetensors: .*its note 'precision' is 'float8'"):
        noted_precision(AUTO, tmp_path / "r0.safetensors")


def test_a_small_gpu_is_measured_with_fewer_images(monkeypatch):
    tried = []

    def step_seconds(name, backbone, device, batch):
        tried.append((name, batch))
        if batch > 2:
            raise torch.OutOfMemoryError
        return {"float32": 3.0, "tf32": 2.0, "bfloat16": 1.0}[name]

    monkeypatch.setattr(precision, "step_seconds", step_seconds)
    found = precision._measured(BACKBONE, torch.device("cuda"))
    assert found == {"float32": 3.0, "tf32": 2.0, "bfloat16": 1.0}
    assert tried == [("float32", 8), ("float32", 4), ("float32", 2), ("tf32", 2), ("bfloat16", 2)]


def test_what_could_not_be_measured_is_not_kept(measured, monkeypatch, tmp_path):
    """Another program may have had the GPU's memory."""
    with monkeypatch.context() as patch:
        patch.setattr(precision, "step_seconds", no_memory)
        assert choose_precision(AUTO, BACKBONE, CPU).precision == "float32"
    assert not (tmp_path / "weights/precision.json").exists()
    assert choose_precision(AUTO, BACKBONE, CPU).precision == "bfloat16"


def test_a_gpu_without_memory_for_one_image_is_told(monkeypatch, caplog):
    monkeypatch.setattr(precision, "step_seconds", no_memory)
    assert fastest(precision._measured(BACKBONE, torch.device("cuda"))) == "float32"
    assert "does not suffice to measure one image of 321 pixels; auto takes float32" in caplog.text
