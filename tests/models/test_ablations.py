"""The networks of the papers' ablations: what an affinity refines, which of the two maps does it, a task left out."""

import numpy as np
import pytest
import reference
import torch
from tiny_networks import CLASSES, STRIDE, network_params, picture, tiny_auxsegnet, tiny_backbone

from auxseg.models.affinity import TaskAffinity
from auxseg.models.auxsegnet import AuxSegNet
from auxseg.params.network import NetworkParams
from auxseg.params.train import LossParams
from auxseg.propagation import propagate_image
from auxseg.training.augment import PixelSample
from auxseg.training.losses import Divisors, multi_task_loss

VARIANTS = ["auxsegnet", "auxsegnet_plus"]
AFFINITIES = ["none", "segmentation", "cross_task_segmentation", "cross_task"]


def ablated(whole: AuxSegNet, **values) -> AuxSegNet:
    """A network with other parameters and the same weights, where it has them."""
    params = whole.params.model_copy(update=values)
    network = AuxSegNet(tiny_backbone(), CLASSES, STRIDE, params).eval()
    unexpected = set(whole.state_dict()) - set(network.state_dict())
    missing, _ = network.load_state_dict(whole.state_dict(), strict=False)
    assert not missing
    assert all(".affinity." in name or name.startswith("cross_") for name in unexpected)
    return network


def outputs_of(network: AuxSegNet, **options):
    with torch.no_grad():
        return network(picture(), **options)


def test_by_default_the_fused_affinity_refines_everything_with_both_maps():
    params = NetworkParams()
    assert (params.affinity, params.features_with, params.refine_with) == ("cross_task", "sum", "sum")


@pytest.mark.parametrize("variant", VARIANTS)
def test_without_affinity_nothing_is_refined(variant):
    whole = tiny_auxsegnet(variant=variant)
    network = ablated(whole, affinity="none")
    assert not any(".affinity." in name or name.startswith("cross_") for name in network.state_dict())
    outputs = outputs_of(network)
    assert outputs.pairwise is None and outputs.unary is None
    assert outputs.refined_saliency is outputs.saliency
    assert outputs.refined_segmentation is outputs.segmentation
    raw = np.maximum(network.classification.cam(outputs.features)[0].detach().double().numpy(), 0)
    own = raw / (raw.max(axis=(1, 2), keepdims=True) + 1e-5)
    np.testing.assert_allclose(network.refined_cam(outputs)[0].detach(), own, atol=1e-6)
    branch = network.segmentation
    with torch.no_grad():
        plain = branch.context(branch.reduce(outputs.features).relu()).relu()
        wanted = branch.predict(branch.fuse(plain).relu())
    torch.testing.assert_close(outputs.segmentation, wanted)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_segmentations_own_affinity_leaves_the_saliency_alone(variant):
    whole = tiny_auxsegnet(variant=variant)
    network = ablated(whole, affinity="segmentation")
    assert not any(name.startswith(("saliency.affinity", "cross_")) for name in network.state_dict())
    full, outputs = outputs_of(whole), outputs_of(network)
    torch.testing.assert_close(outputs.segmentation, full.segmentation)
    assert outputs.refined_saliency is outputs.saliency
    assert not torch.allclose(outputs.saliency, full.saliency)  # its features are not refined either
    branch = network.segmentation
    with torch.no_grad():
        features = branch.context(branch.reduce(outputs.features).relu()).relu()
        _, own, unary = branch.affinity(features)
    torch.testing.assert_close(outputs.pairwise, own)
    matrix = own[0].double().numpy()
    if unary is not None:
        matrix = matrix + unary[0].double().numpy()  # one row, added to each
    wanted = reference.multiply(matrix, reference.rows(outputs.segmentation[0].double().numpy()))
    np.testing.assert_allclose(outputs.refined_segmentation[0], reference.maps(wanted, 3, 4), atol=1e-4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_fused_affinity_for_the_segmentation_alone(variant):
    """Table 4, "segmentation loss": all as in the whole network but the saliency's refined prediction."""
    whole = tiny_auxsegnet(variant=variant)
    full, outputs = outputs_of(whole), outputs_of(ablated(whole, affinity="cross_task_segmentation"))
    assert outputs.refined_saliency is outputs.saliency
    assert not torch.allclose(full.refined_saliency, full.saliency)
    for name in set(full.__dataclass_fields__) - {"refined_saliency"}:
        torch.testing.assert_close(getattr(outputs, name), getattr(full, name), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("affinity", AFFINITIES)
def test_every_ablation_leaves_the_same_kinds_of_maps(affinity):
    network = ablated(tiny_auxsegnet(), affinity=affinity)
    maps = propagate_image(network, picture(), [2, 0], renormalise=True, low_precision=True)
    assert {name: value.shape for name, value in maps.items()} == {
        "cam": (2, 3, 4),
        "saliency": (3, 4),
        "prediction": (3, 4),
        "confidence": (3, 4),
        "entropy": (3, 4),
        "scores": (3,),
    }
    assert (maps["entropy"] == 0).all() == (affinity == "none")  # each position has only itself


@pytest.mark.parametrize("which", ["pairwise", "unary", "sum"])
def test_maps_that_refine_features(which):
    torch.manual_seed(3)
    module = TaskAffinity(network_params(features_with=which)).double()
    features = torch.randn(1, 8, 3, 4, dtype=torch.float64)
    refined, pairwise, unary = module(features)
    state = reference.state_of(module)
    _, affinity, row = reference.task_affinity(features[0].numpy(), state, plus=True, whiten=True, temperature=1.0)
    every_row = np.repeat(row, len(affinity), axis=0)
    matrix = {"pairwise": affinity, "unary": every_row, "sum": affinity + every_row}[which]
    value = reference.rows(reference.conv(features[0].numpy(), state["value.weight"], state["value.bias"]))
    mixed = reference.maps(reference.multiply(matrix, value), 3, 4)
    wanted = features[0].numpy() + reference.conv(mixed, state["out.weight"], state["out.bias"])
    np.testing.assert_allclose(refined[0].detach(), wanted, atol=1e-10)
    np.testing.assert_allclose(pairwise[0].detach(), affinity, atol=1e-12)  # both maps exist: predictions need them
    np.testing.assert_allclose(unary[0].detach(), row, atol=1e-12)


def test_auxsegnet_has_no_unary_map_to_choose():
    whole = tiny_auxsegnet(variant="auxsegnet")
    full = outputs_of(whole)
    outputs = outputs_of(ablated(whole, features_with="unary", refine_with="unary"))
    torch.testing.assert_close(outputs.refined_segmentation, full.refined_segmentation, rtol=0, atol=0)


def test_the_unary_map_alone_shifts_predictions():
    """P' = P + 1 a P: the map alone would give every position the same vector."""
    network = tiny_auxsegnet(refine_with="unary")
    outputs = outputs_of(network)
    prediction, row = outputs.segmentation[0].double().numpy(), outputs.unary[0, 0].double().numpy()
    shift = [sum(a * p for a, p in zip(row, channel.reshape(-1), strict=True)) for channel in prediction]
    wanted = prediction + np.array(shift)[:, None, None]
    np.testing.assert_allclose(outputs.refined_segmentation[0], wanted, atol=1e-5)


@pytest.mark.parametrize("task", ["saliency", "classification"])
def test_a_weight_of_0_switches_a_task_off(task):
    """P1's Table 3: the backbone learns as if the task's branch, of the same name, were not there."""
    label, tags = torch.arange(24 * 32).view(1, 1, 24, 32) % 4, torch.tensor([[1.0, 0.0, 1.0]])
    batch = PixelSample(picture(), tags, label.float(), (label / 3).float())

    def backbone_gradient(scale: float) -> torch.Tensor:
        network = ablated(tiny_auxsegnet(variant="auxsegnet"), affinity="none")
        branch = getattr(network, task)
        with torch.no_grad():
            for parameter in branch.parameters():
                parameter *= scale
        losses = multi_task_loss(network(batch.image), batch, Divisors.of(batch), LossParams(**{task: 0.0}), "soft")
        losses["loss"].backward()
        assert all(not parameter.grad.any() for parameter in branch.parameters())
        return network.backbone.body.weight.grad

    gradient = backbone_gradient(1.0)
    assert gradient.abs().max() > 0
    torch.testing.assert_close(backbone_gradient(-2.0), gradient, rtol=0, atol=0)
