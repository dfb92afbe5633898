"""Numbers are checked where they enter: tensors of weights, outputs of networks."""

import numpy as np
import pytest
import torch

from auxseg.errors import DataError
from auxseg.models.checks import check_outputs
from auxseg.models.importing import import_backbone
from auxseg.models.pretrained import pretrained_state, read_state
from auxseg.params.backbone import BackboneParams

WHOLE = {"body.weight": torch.ones(2, 3), "body.count": torch.tensor(3)}
"""What the network of these tests has."""

ODD = {
    "int8": (torch.ones(2, 3, dtype=torch.int8), "elements of int8, the network expects float32"),
    "bool": (torch.ones(2, 3, dtype=torch.bool), "elements of bool, the network expects float32"),
    "complex": (torch.ones(2, 3, dtype=torch.complex64), "has elements of complex64"),
    "sparse": (torch.eye(2, 3).to_sparse(), "is sparse"),
    "csr": (torch.eye(2, 3).to_sparse_csr(), "is sparse"),
    "quantised": (torch.quantize_per_tensor(torch.ones(2, 3), 0.1, 0, torch.qint8), "is quantised"),
    "float8": (torch.ones(2, 3).to(torch.float8_e4m3fn), "has elements of float8_e4m3fn"),
    "meta": (torch.ones(2, 3, device="meta"), "has a shape but no values"),
    "nan": (torch.tensor([[1.0, 2, 3], [4, float("nan"), 6]]), "contains values that are not finite numbers"),
    "inf": (torch.full((2, 3), float("inf"), dtype=torch.float16), "contains values that are not finite numbers"),
    "shape": (torch.ones(3, 2), r"has shape \(3, 2\)"),
}
"""Tensors that are no weights, and what is said about them."""


@pytest.mark.parametrize("kind", ODD)
def test_odd_tensors_are_named(tmp_path, kind):
    value, message = ODD[kind]
    torch.save({**WHOLE, "body.weight": value}, tmp_path / "a.pth")
    params = BackboneParams(name="resnet18", weights=str(tmp_path / "a.pth"), sha256="0" * 64)
    with pytest.raises(DataError, match=rf"a\.pth'?: tensor 'body\.weight' .*{message}") as error:
        pretrained_state(params, WHOLE)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", sorted(ODD.keys() - {"shape"}))
def test_an_import_names_them_too(tmp_path, kind, monkeypatch):
    value, message = ODD[kind]
    torch.save({"conv1.weight": value}, tmp_path / "a.pth")

    def network(stride):
        body = torch.nn.Module()
        body.conv1 = torch.nn.Linear(3, 2, bias=False)
        return type("Backbone", (), {"body": body})

    monkeypatch.setitem(import_backbone.__globals__["BACKBONES"], "resnet18", network)
    with pytest.raises(DataError, match=rf"a\.pth: tensor 'conv1\.weight' .*{message}"):
        import_backbone(tmp_path / "a.pth", "resnet18")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_taken(tmp_path, dtype):
    torch.save({**WHOLE, "body.weight": WHOLE["body.weight"].to(dtype)}, tmp_path / "a.pth")
    params = BackboneParams(name="resnet18", weights=str(tmp_path / "a.pth"), sha256="0" * 64)
    assert pretrained_state(params, WHOLE)["body.weight"].tolist() == WHOLE["body.weight"].tolist()


@pytest.mark.parametrize("content", [{3: torch.ones(2)}, {"model": {None: torch.ones(2)}}, {("a",): torch.ones(1)}])
def test_names_that_are_no_text_are_rejected(tmp_path, content):
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(DataError, match=r"a\.pth: not a state dict \(tensors by name\)"):
        read_state(tmp_path / "a.pth")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_outputs_that_are_no_numbers_name_the_image(value):
    maps = {"prediction": np.ones((2, 2), np.uint8), "cam": np.zeros((1, 2, 2), np.float16)}
    check_outputs(maps, "image 'img7'")
    maps["cam"][0, 1, 0] = value
    with pytest.raises(DataError, match="image 'img7': the network's cam contains values that are not finite numbers"):
        check_outputs(maps, "image 'img7'")
