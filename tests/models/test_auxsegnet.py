"""The whole network against the equations, and what each output means."""

import numpy as np
import pytest
import reference
import torch
from tiny_networks import CLASSES, network_params, picture, tiny_auxsegnet, tiny_backbone

from auxseg.models.auxsegnet import AuxSegNet, TaskBranch, build_auxsegnet, load_auxsegnet
from auxseg.models.weights import save_weights
from auxseg.params.backbone import BackboneParams

RATES = {8: (6, 12, 18), 16: (3, 6, 9), 32: (1, 3, 4)}


def forward_by_hand(network, image, *, plus, refine_with="sum", transpose=False):
    """docs/method.md section 1 for one image at stride 8, float64."""
    state = reference.state_of(network)
    features = image.double().numpy() / 255
    weight, bias = state["backbone.body.weight"], state["backbone.body.bias"]
    height, width = features.shape[1] // 8, features.shape[2] // 8
    grid = np.zeros((len(weight), height, width))
    for y in range(height):
        for x in range(width):
            patch = features[:, 8 * y : 8 * y + 8, 8 * x : 8 * x + 8]
            grid[:, y, x] = [np.sum(w * patch) + b for w, b in zip(weight, bias, strict=True)]

    def branch(task):
        part = reference.inner(state, f"{task}.")
        maps = grid
        for name, rate in (("reduce", 6), ("context", 12)):
            maps = np.maximum(reference.conv(maps, part[f"{name}.weight"], part[f"{name}.bias"], rate, rate), 0)
        maps, pairwise, unary = reference.task_affinity(
            maps, reference.inner(part, "affinity."), plus=plus, whiten=plus, temperature=1.0
        )
        maps = np.maximum(reference.conv(maps, part["fuse.weight"], part["fuse.bias"], 18, 18), 0)
        return reference.conv(maps, part["predict.weight"]), pairwise, unary

    saliency, sal_pairwise, sal_unary = branch("saliency")
    segmentation, seg_pairwise, seg_unary = branch("segmentation")
    cross = reference.inner(state, "cross_pairwise.")
    kernel, renormalise = network.params.cross_task.kernel, network.params.cross_task.renormalise
    pairwise, unary = reference.fuse_tasks(seg_pairwise, sal_pairwise, cross, kernel, renormalise), None
    if plus:
        unary = reference.fuse_tasks(seg_unary, sal_unary, reference.inner(state, "cross_unary."), kernel, renormalise)
    used = pairwise.T if transpose else pairwise

    def refine(prediction):
        matrix = used
        if plus and refine_with != "pairwise":
            matrix = used + np.repeat(unary, len(used), axis=0)
        if plus and refine_with == "mean":
            matrix = matrix / 2
        return reference.maps(reference.multiply(matrix, reference.rows(prediction)), height, width)

    linear = state["classification.linear.weight"]
    raw = np.zeros((CLASSES, height, width))
    for c in range(CLASSES):
        for k in range(len(grid)):
            raw[c] += linear[c, k] * grid[k]
    cam = np.maximum(raw, 0)
    cam = np.stack([c / (c.max() + 1e-5) for c in cam])
    return {
        "classification": raw.mean(axis=(1, 2)),
        "saliency": saliency,
        "segmentation": segmentation,
        "refined_saliency": refine(saliency),
        "refined_segmentation": refine(segmentation),
        "pairwise": pairwise,
        "unary": unary,
        "features": grid,
        "cam": reference.maps(reference.multiply(used, reference.rows(cam)), height, width),
    }


CASES = [
    {"variant": "auxsegnet"},
    {"variant": "auxsegnet", "transpose": True},
    {"variant": "auxsegnet", "cross_task": {"kernel": 3, "renormalise": False}},
    {"variant": "auxsegnet_plus"},
    {"variant": "auxsegnet_plus", "refine_with": "pairwise"},
    {"variant": "auxsegnet_plus", "refine_with": "mean"},
    {"variant": "auxsegnet_plus", "refine_with": "pairwise", "transpose": True},
]


@pytest.mark.parametrize("values", CASES, ids=lambda values: "-".join(map(str, values.values())))
def test_forward(values):
    network = tiny_auxsegnet(**values)
    images = picture(batch=2)
    with torch.no_grad():
        outputs = network(images)
        cam = network.refined_cam(outputs)
    options = {key: value for key, value in values.items() if key not in ("variant", "cross_task")}
    for b in range(2):
        wanted = forward_by_hand(network, images[b], plus=values["variant"] == "auxsegnet_plus", **options)
        np.testing.assert_allclose(cam[b], wanted.pop("cam"), atol=2e-6)
        for name, value in wanted.items():
            found = getattr(outputs, name)
            if value is None:
                assert found is None
            else:
                np.testing.assert_allclose(found[b], value, atol=1e-5, err_msg=name)


def test_output_shapes():
    outputs = tiny_auxsegnet()(picture(24, 32, batch=2))
    shapes = {name: tuple(getattr(outputs, name).shape) for name in outputs.__dataclass_fields__}
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


def test_low_precision_keeps_outputs_in_float32_and_near():
    network, images = tiny_auxsegnet(), picture()
    with torch.no_grad():
        exact, rough = network(images), network(images, low_precision=True)
    for name in exact.__dataclass_fields__:
        assert getattr(rough, name).dtype == torch.float32
        torch.testing.assert_close(getattr(rough, name), getattr(exact, name), atol=0.02, rtol=0.05)
    assert not torch.equal(rough.features, exact.features)


def test_build_and_load(tmp_path):
    backbone, network = BackboneParams(name="resnet18", output_stride=16, weights="random"), network_params()
    torch.manual_seed(1)
    built = build_auxsegnet(backbone, network, CLASSES).eval()
    save_weights(tmp_path / "r1.safetensors", built, {})
    torch.manual_seed(2)
    loaded = load_auxsegnet(tmp_path / "r1.safetensors", backbone, network, CLASSES).eval()
    with torch.no_grad():
        torch.testing.assert_close(
            loaded(picture(48, 64)).refined_segmentation,
            built(picture(48, 64)).refined_segmentation,
            rtol=0,
            atol=0,
        )
