"""The classifier's figure after its training."""

from types import SimpleNamespace

import torch
from tiny_networks import tiny_classifier

from auxseg.params.runtime import RuntimeParams
from auxseg.training.classifier import val_precision


def test_kernels_are_not_measured_for_every_size_of_val_images(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    dataset = SimpleNamespace(records=lambda _: [])
    assert val_precision(tiny_classifier(), dataset, RuntimeParams(), torch.device("cpu")) is None
    assert not torch.backends.cudnn.benchmark
