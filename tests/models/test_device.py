"""The device of a process, and what is set for it."""

import os

import pytest
import torch

from auxseg.errors import ParamsError, ResourceError
from auxseg.models.device import prepare_device
from auxseg.params.runtime import RuntimeParams


@pytest.mark.parametrize(("visible", "told"), [("3", True), ("-1", False), ("", False)])
def test_a_lent_gpu_that_torch_does_not_find_is_no_secret(monkeypatch, caplog, visible, told):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.delenv("AUXSEG_DEVICE", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    params = RuntimeParams(threads=torch.get_num_threads())
    try:
        assert prepare_device(params).type == "cpu"
    finally:
        torch.use_deterministic_algorithms(False)
    assert ("CUDA_VISIBLE_DEVICES names a GPU, but torch finds none" in caplog.text) == told


def test_threads_and_determinism_are_set(monkeypatch):
    monkeypatch.setenv("AUXSEG_DEVICE", "cpu")
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", os.environ.get("CUBLAS_WORKSPACE_CONFIG", ":4096:8"))
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    threads = torch.get_num_threads()
    try:
        assert prepare_device(RuntimeParams(threads=2)) == torch.device("cpu")
        assert torch.get_num_threads() == 2
        assert torch.are_deterministic_algorithms_enabled() and not torch.backends.cudnn.benchmark
        assert not torch.backends.cudnn.allow_tf32
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(False)


def test_speed_may_go_before_the_same_bytes(monkeypatch):
    """In a training: without one, nearly every image has a size for which kernels would be measured anew."""
    monkeypatch.setenv("AUXSEG_DEVICE", "cpu")
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", os.environ.get("CUBLAS_WORKSPACE_CONFIG", ":4096:8"))
    params = RuntimeParams(threads=torch.get_num_threads(), deterministic=False)
    try:
        for training in (True, False):
            prepare_device(params, training=training)
            assert torch.backends.cudnn.benchmark == training and not torch.are_deterministic_algorithms_enabled()
        prepare_device(params.model_copy(update={"deterministic": True}), training=True)
        assert not torch.backends.cudnn.benchmark
    finally:
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize(
    ("name", "training", "deterministic", "fused"),
    [("cuda", True, True, False), ("cuda", True, False, True), ("cuda", False, True, True), ("cpu", True, True, True)],
)
def test_only_a_deterministic_training_on_a_gpu_has_no_fused_attention(
    monkeypatch, name, training, deterministic, fused
):
    """Only gradients have no fixed order; a CPU has an attention of its own, which always adds alike."""
    monkeypatch.setattr(torch, "ones", lambda *_, device: None)
    monkeypatch.setenv("AUXSEG_DEVICE", name)
    params = RuntimeParams(threads=torch.get_num_threads(), deterministic=deterministic)
    kernels = torch.backends.cuda
    try:
        prepare_device(params, training=training)
        found = [kernels.flash_sdp_enabled(), kernels.mem_efficient_sdp_enabled(), kernels.cudnn_sdp_enabled()]
        assert found == [fused] * 3
    finally:
        prepare_device(params)
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "mps", "meta"])
def test_a_device_that_torch_cannot_use_here_is_rejected(monkeypatch, name):
    monkeypatch.setenv("AUXSEG_DEVICE", name)
    threads = torch.get_num_threads()
    try:
        kind = ResourceError if name == "cuda:99" else ParamsError
        with pytest.raises(kind, match=f"AUXSEG_DEVICE={name}: torch cannot use this device here; write cpu"):
            prepare_device(RuntimeParams(threads=threads))
    finally:
        torch.use_deterministic_algorithms(False)


def test_a_gpu_without_kernels_is_rejected(monkeypatch):
    """Such as one of Volta, for which torch's CUDA 13 has none: it allocates, and fails at the first computation."""

    def ones(*_, device):
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device")

    monkeypatch.setattr(torch, "ones", ones)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.delenv("AUXSEG_DEVICE", raising=False)
    try:
        with pytest.raises(ResourceError, match="AUXSEG_DEVICE=cuda: torch cannot use this device here"):
            prepare_device(RuntimeParams(threads=torch.get_num_threads()))
    finally:
        torch.use_deterministic_algorithms(False)


def test_the_second_gpu_is_the_current_one(monkeypatch):
    """Otherwise the event that says when a map is copied would be recorded on the first one's stream."""
    chosen = []
    monkeypatch.setattr(torch, "ones", lambda *_, device: None)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    threads = torch.get_num_threads()
    try:
        for name in ("cuda:1", "cuda", "cpu"):
            monkeypatch.setenv("AUXSEG_DEVICE", name)
            prepare_device(RuntimeParams(threads=threads))
    finally:
        torch.use_deterministic_algorithms(False)
    assert chosen == [torch.device("cuda:1")]
