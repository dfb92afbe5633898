"""The whole network against the equations, and what each output means."""

import numpy as np
import pytest
import reference
import torch
from tiny_networks import CLASSES, network_params, picture, strided_backbone, tiny_auxsegnet, tiny_backbone

from auxseg.models.auxsegnet import AuxSegNet, TaskBranch, build_auxsegnet, load_auxsegnet
from auxseg.models.weights import save_weights
from auxseg.params.backbone import BackboneParams

RATES = {8: (6, 12, 18), 16: (3, 6, 9), 32: (1, 3, 4)}


SEEN = [1, 2, 1]
"""Dilation rates at which the grid of 3 x 4 positions is more than padding."""
P1, P2 = {"variant": "auxsegnet", "rates": SEEN}, {"variant": "auxsegnet_plus", "rates": SEEN}
C1 = P1 | {"cross_task": {"kernel": 3, "renormalise": False}}
CASES = {
    "P1": P1,
    "P1 at its own rates": {"variant": "auxsegnet"},
    "C1": C1,
    "C1 renormalised": P1 | {"cross_task": {"kernel": 3}},
    "P1 not renormalised": P1 | {"cross_task": {"renormalise": False}},
    "P1 transposed": P1 | {"transpose": True},
    "C1 transposed": C1 | {"transpose": True},
    "P1 scaled": P1 | {"scale_dim": True, "cross_task": {"scale": "positions"}},
    "P2": P2,
    "P2 not whitened": P2 | {"whiten": False},
    "P2 as DNL": P2 | {"tau": 0.5, "scale_dim": True},
    "P2 with C1's kernel": P2 | {"cross_task": {"kernel": 3, "renormalise": False, "scale": "positions"}},
    "P2 transposed": P2 | {"transpose": True},
    "predictions by the pairwise map": P2 | {"refine_with": "pairwise"},
    "predictions by the mean": P2 | {"refine_with": "mean"},
    "predictions by the unary map": P2 | {"refine_with": "unary"},
    "features by the pairwise map": P2 | {"features_with": "pairwise"},
    "features by the unary map": P2 | {"features_with": "unary"},
    "no affinity": P2 | {"affinity": "none"},
    "segmentation's affinity": P1 | {"affinity": "segmentation"},
    "cross-task affinity, segmentation": P2 | {"affinity": "cross_task_segmentation"},
}


@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
def test_forward(values):
    """Every output of section 1 in float64 against loops."""
    network, images = tiny_auxsegnet(**values).double(), picture(batch=2).double()
    with torch.no_grad():
        outputs = network(images)
        found = {**vars(outputs), "cam": network.refined_cam(outputs)}
    for b in range(2):
        wanted = reference.network(images[b].numpy(), reference.state_of(network), values)
        assert found.keys() == wanted.keys()
        for name, value in wanted.items():
            if value is None:
                assert found[name] is None, name
            else:
                np.testing.assert_allclose(found[name][b], value, rtol=1e-9, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
def test_gradient(values):
    """The slope of a random sum of all outputs along a random direction of all weights: autograd against loops."""
    network, image = tiny_auxsegnet(**values).double(), picture().double()
    generator = torch.Generator().manual_seed(5)
    direction = {
        name: torch.randn(value.shape, generator=generator, dtype=torch.float64) * value.detach().abs().mean()
        for name, value in network.named_parameters()
    }
    outputs = network(image)
    found = {**vars(outputs), "cam": network.refined_cam(outputs)}
    found = {name: value for name, value in found.items() if value is not None}
    factors = {
        name: torch.randn(value.shape, generator=generator, dtype=torch.float64) for name, value in found.items()
    }
    sum((factors[name] * value).sum() for name, value in found.items()).backward()
    slope = sum(
        float((network.get_parameter(name).grad * step).sum())
        for name, step in direction.items()
        if network.get_parameter(name).grad is not None
    )

    def total(step):
        state = reference.state_of(network)
        state |= {name: state[name] + step * value.numpy() for name, value in direction.items()}
        outputs = reference.network(image[0].numpy(), state, values)
        return sum(float((factors[name][0].numpy() * outputs[name]).sum()) for name in factors)

    wanted = (total(1e-6) - total(-1e-6)) / 2e-6
    assert abs(wanted) > 1e-2
    assert slope == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("values", [P1, P1 | {"transpose": True}, P2, P2 | {"whiten": False, "refine_with": "mean"}])
def test_order_of_positions(values, kernel):
    """Sections 1.4, 1.6 and 1.7 do not know where a position is, but for C1's 3x3 kernel (quirk 9)."""
    cross_task = {"kernel": kernel, "scale": "positions"}
    network = tiny_auxsegnet(**values | {"cross_task": cross_task}).double()
    random = torch.Generator().manual_seed(0)
    tasks = [torch.randn(1, 8, 1, 12, generator=random, dtype=torch.float64) for _ in range(2)]
    prediction = torch.randn(1, 4, 1, 12, generator=random, dtype=torch.float64)
    order = torch.randperm(12, generator=random)

    def refined(segmentation, saliency, prediction):
        _, segmentation_pairwise, segmentation_unary = network.segmentation.affinity(segmentation)
        _, saliency_pairwise, saliency_unary = network.saliency.affinity(saliency)
        pairwise = network.cross_pairwise(segmentation_pairwise, saliency_pairwise)
        unary = network.cross_unary and network.cross_unary(segmentation_unary, saliency_unary)
        return network.refine(prediction, pairwise, unary)

    with torch.no_grad():
        wanted = refined(*tasks, prediction)[..., order]
        found = refined(*(task[..., order] for task in tasks), prediction[..., order])
    difference = float((found - wanted).abs().max())
    assert difference < 1e-12 if kernel == 1 else difference > 1e-3


@pytest.mark.parametrize("released", [False, True])
def test_weights_at_the_start(released):
    """Xavier: uniform within sqrt(6 / (fan in + fan out)). C1 has it in a branch's last layer too; random biases."""
    torch.manual_seed(0)
    branch = TaskBranch(64, 5, 8, network_params(released_init=released))
    for layer, fan_in, fan_out in ((branch.reduce, 64 * 9, 8 * 9), (branch.fuse, 8 * 9, 8 * 9)):
        assert_uniform(layer.weight, (6 / (fan_in + fan_out)) ** 0.5)
        if released:
            assert_uniform(layer.bias, fan_in**-0.5, slack=0.6)
        else:
            assert (layer.bias == 0).all()
    assert_uniform(branch.predict.weight, (6 / (8 + 5)) ** 0.5 if released else 8**-0.5)  # PyTorch: 1 / sqrt(fan in)
    for layer in (branch.affinity.query, branch.affinity.key, branch.affinity.value, branch.affinity.out):
        assert_uniform(layer.weight, 8**-0.5)


def assert_uniform(values, bound, slack=0.1):
    assert bound * (1 - slack) < values.abs().max() <= bound
    assert values.mean().abs() < bound * 4 / (3 * values.numel()) ** 0.5  # four standard errors


def test_output_shapes():
    outputs = tiny_auxsegnet()(picture(24, 32, batch=2))
    assert outputs.decoded is None
    shapes = {name: tuple(value.shape) for name, value in vars(outputs).items() if value is not None}
    assert shapes == {
        "classification": (2, 3),
        "saliency": (2, 1, 3, 4),
        "segmentation": (2, 4, 3, 4),
        "refined_saliency": (2, 1, 3, 4),
        "refined_segmentation": (2, 4, 3, 4),
        "pairwise": (2, 12, 12),
        "unary": (2, 1, 12),
        "features": (2, 5, 3, 4),
    }


def test_refine_with_the_sum_doubles_a_constant():
    """Rows of a fused map add to about 1, so rows of both maps add to about 2."""
    network = tiny_auxsegnet(cross_task={"renormalise": True})
    outputs = network(picture())
    constant = torch.full((1, 4, 3, 4), 3.0)
    torch.testing.assert_close(network.refine(constant, outputs.pairwise, outputs.unary), constant * 2)
    torch.testing.assert_close(network.refine(constant, outputs.pairwise, None), constant)


def test_refined_cam_is_relu_and_divided_before_but_not_after_propagation():
    network = tiny_auxsegnet()
    with torch.no_grad():
        network.classification.linear.weight[0] = -network.classification.linear.weight[0].abs()
        features = torch.rand(1, 5, 3, 4) + 0.1
        network.classification.linear.weight[1:] = network.classification.linear.weight[1:].abs()
        outputs = network(picture())
        outputs = type(outputs)(**{**outputs.__dict__, "features": features})
        cam = network.refined_cam(outputs)
    assert (cam[0, 0] == 0).all()  # nowhere positive
    raw = np.einsum("ck,kyx->cyx", network.classification.linear.weight.detach().double(), features[0].double())
    own = np.maximum(raw, 0)
    own = own / (own.max(axis=(1, 2), keepdims=True) + 1e-5)
    wanted = np.einsum("ij,cj->ci", outputs.pairwise[0].double(), own.reshape(3, -1)).reshape(3, 3, 4)
    np.testing.assert_allclose(cam[0], wanted, atol=1e-6)
    assert 0 < cam[0, 1:].max() < 0.99  # an average of values up to 1: dividing again would give 1


@pytest.mark.parametrize("stride", RATES)
def test_dilation_rates_follow_the_output_stride(stride):
    branch = TaskBranch(4, 2, stride, network_params())
    layers = branch.reduce, branch.context, branch.fuse
    assert [layer.dilation for layer in layers] == [(rate, rate) for rate in RATES[stride]]
    assert branch(torch.rand(1, 4, 3, 5))[0].shape == (1, 2, 3, 5)
    assert [layer.kernel_size for layer in layers] == [(3, 3)] * 3
    assert branch.predict.bias is None


def test_dropout_acts_in_training_only_and_on_the_classification_alone():
    network, images = tiny_auxsegnet(), picture()
    torch.manual_seed(0)
    calm = network(images)
    network.train()
    drawn = [network(images) for _ in range(8)]
    assert any(not torch.equal(outputs.classification, calm.classification) for outputs in drawn)
    assert all(torch.equal(outputs.refined_segmentation, calm.refined_segmentation) for outputs in drawn)


def test_number_of_parameters_at_the_published_sizes():
    """Everything on top of the backbone with P1's sizes, K = 4096, D = 128 and 20 classes, counted by hand."""
    backbone = tiny_backbone(4096)
    network = AuxSegNet(backbone, 20, 8, network_params().model_copy(update={"channels": 128, "variant": "auxsegnet"}))
    heads = sum(p.numel() for name, p in network.named_parameters() if not name.startswith("backbone."))
    conv = 128 * 128 * 9 + 128
    branch = 4096 * 128 * 9 + 128 + 2 * conv + 4 * (128 * 128 + 128)
    assert heads == 4096 * 20 + 2 * branch + 128 * 1 + 128 * 21 + (2 * 2 * 1) + (2 * 2 + 2)


@pytest.mark.parametrize("decoder", [None, 8])
def test_low_precision_keeps_outputs_in_float32_and_near(decoder):
    """All but the features: they are the largest, and a training reads none of them."""
    network, images = tiny_auxsegnet(), picture()
    if decoder:
        network = AuxSegNet(strided_backbone(), 3, 16, network_params(decoder=decoder)).eval()
        torch.nn.init.normal_(network.decoder.predict.weight)
    with torch.no_grad():
        exact, rough = network(images), network(images, low_precision=True)
    for name in vars(exact).keys() - ({"decoded"} if decoder is None else set()):
        assert getattr(rough, name).dtype == (torch.bfloat16 if name == "features" else torch.float32)
        torch.testing.assert_close(getattr(rough, name).float(), getattr(exact, name), atol=0.02, rtol=0.05)
    assert not torch.equal(rough.features.float(), exact.features)


def test_build_and_load(tmp_path):
    backbone, network = BackboneParams(name="resnet18", output_stride=16, weights="random"), network_params()
    torch.manual_seed(1)
    built = build_auxsegnet(backbone, network, CLASSES).eval()
    save_weights(tmp_path / "r1.safetensors", built, {})
    torch.manual_seed(2)
    loaded = load_auxsegnet(tmp_path / "r1.safetensors", backbone, network, CLASSES, torch.device("cpu"))
    state = loaded.state_dict()
    assert all(torch.equal(state[name], value) for name, value in built.state_dict().items())
    with torch.no_grad():  # its batch norms are folded, and its features lie in another order
        found, wanted = (one(picture(48, 64)).refined_segmentation for one in (loaded, built))
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)
