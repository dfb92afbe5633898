"""What one pass over an image leaves behind."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import reference
import torch
from on_gpu import copies, on_gpu
from PIL import Image
from tiny_networks import network_params, picture, strided_backbone, tiny_auxsegnet, tiny_classifier

from auxseg import propagation
from auxseg.artifacts.tensors import TensorFile, write_tensors
from auxseg.cam import classifier_cams
from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.errors import DataError
from auxseg.maps import upsample
from auxseg.models.auxsegnet import AuxSegNet
from auxseg.params.cam import CamParams
from auxseg.params.propagate import PropagateParams
from auxseg.params.runtime import RuntimeParams
from auxseg.propagation import affinity_entropy, propagate_image, propagate_images


@pytest.fixture(scope="module")
def network():
    return tiny_auxsegnet()


def maps_of(*arguments, **options) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in propagate_image(*arguments, **options).items()}


@pytest.mark.parametrize("renormalise", [False, True])
def test_maps(network, renormalise):
    image = picture(24, 32)
    maps = maps_of(network, image, [2, 0], renormalise=renormalise, low_precision=False)
    with torch.no_grad():
        outputs = network(image)
    weight = network.classification.linear.weight.detach().double().numpy()
    raw = np.maximum(np.einsum("ck,kyx->cyx", weight, outputs.features[0].double().numpy()), 0)
    own = raw / (raw.max(axis=(1, 2), keepdims=True) + 1e-5)
    cam = np.stack([reference.multiply(outputs.pairwise[0].double().numpy(), c.reshape(-1, 1)) for c in own])
    cam = cam.reshape(3, 3, 4)[[2, 0]]  # in the order of the image's labels
    if renormalise:
        cam = np.stack([c / (c.max() + 1e-5) for c in cam])
    logits = outputs.refined_segmentation[0].double().numpy()
    softmax = np.array([[reference.softmax(logits[:, y, x]) for x in range(4)] for y in range(3)])

    assert {name: (value.dtype.name, value.shape) for name, value in maps.items()} == {
        "cam": ("float16", (2, 3, 4)),
        "saliency": ("float16", (3, 4)),
        "prediction": ("uint8", (3, 4)),
        "confidence": ("float16", (3, 4)),
        "entropy": ("float16", (3, 4)),
        "scores": ("float16", (3,)),
    }
    np.testing.assert_allclose(maps["cam"], cam, atol=1e-3)
    saliency = outputs.refined_saliency[0, 0].double().numpy()
    np.testing.assert_allclose(maps["saliency"], reference.sigmoid(saliency), atol=1e-3)
    assert (maps["prediction"] == softmax.argmax(axis=2)).all()
    np.testing.assert_allclose(maps["confidence"], softmax.max(axis=2), atol=1e-3)
    rows = outputs.pairwise[0].double().numpy()
    entropy = [-sum(a * math.log(a) for a in row / row.sum() if a > 0) / math.log(12) for row in rows]
    np.testing.assert_allclose(maps["entropy"].reshape(-1), entropy, atol=1e-3)
    np.testing.assert_allclose(maps["scores"], outputs.classification[0].detach(), rtol=1e-3)


def test_entropy_of_known_rows():
    uniform, single = torch.full((1, 4), 0.5), torch.eye(4)[:1]  # a row that sums to 2 is a distribution all the same
    half = torch.tensor([[0.5, 0.5, 0, 0]])
    found = affinity_entropy(torch.cat([uniform, single, half, half])[None])[0]
    np.testing.assert_allclose(found, [1, 0, 0.5, 0.5], atol=1e-6)
    assert affinity_entropy(torch.ones(1, 1, 1)).tolist() == [[0]]


def test_renormalising_brings_the_maximum_back_to_one(network):
    """Quirk 8: the released code does not, and fuses at the same threshold."""
    plain, again = (
        maps_of(network, picture(), [0, 1, 2], renormalise=flag, low_precision=False)["cam"].max(axis=(1, 2))
        for flag in (False, True)
    )
    positive = plain > 0
    assert positive.any()
    np.testing.assert_allclose(again[positive], 1, atol=2e-3)
    assert (plain < 0.99).all()


def test_an_image_without_labels_has_no_cam(network):
    """Images of the validation split may have none."""
    maps = maps_of(network, picture(), [], renormalise=True, low_precision=False)
    assert maps["cam"].shape == (0, 3, 4)
    assert maps["prediction"].shape == (3, 4)


@pytest.mark.parametrize(("scales", "flip"), [([1.0, 1.5], True), ([0.5, 1.0], False), ([1.0], True)])
def test_views_are_averaged_on_the_grid_of_scale_one(network, scales, flip):
    image = picture(24, 32)
    found = maps_of(network, image, [2, 0], renormalise=True, low_precision=False, scales=scales, flip=flip)
    cams, saliencies = [], []
    for scale in scales:
        size = [round(24 * scale), round(32 * scale)]
        resized = torch.nn.functional.interpolate(image, size=size, mode="bilinear", antialias=scale < 1)
        for mirrored in (False, True)[: 1 + flip]:
            with torch.no_grad():
                outputs = network(resized.flip(3) if mirrored else resized)
                maps = (
                    network.refined_cam(outputs)[0, [2, 0]].numpy(),
                    torch.sigmoid(outputs.refined_saliency)[0].numpy(),
                )
            maps = [upsample(one[:, :, ::-1] if mirrored else one, 3, 4) for one in maps]
            cams.append(maps[0])
            saliencies.append(maps[1][0])
    mean = np.mean(cams, axis=0)
    np.testing.assert_allclose(found["cam"], mean / (mean.max(axis=(1, 2), keepdims=True) + 1e-5), atol=2e-3)
    np.testing.assert_allclose(found["saliency"], np.mean(saliencies, axis=0), atol=2e-3)
    alone = maps_of(network, image, [2, 0], renormalise=True, low_precision=False)
    for name in ("prediction", "confidence", "entropy"):
        assert (found[name] == alone[name]).all()


def test_a_gpu_gets_the_classes_once_for_all_views(monkeypatch):
    monkeypatch.setattr(propagation, "to_device", torch.Tensor.to)  # without CUDA no memory can be pinned
    views = {"scales": (0.5, 1.0), "flip": True, "prediction_share": 0.5}
    with on_gpu() as calls:
        with torch.device("cuda"):
            network, image = tiny_auxsegnet(), picture()
        calls.clear()
        maps = propagate_image(network, image, [2, 0], renormalise=True, low_precision=False, **views)
        assert maps["cam"].shape == (2, 3, 4)
    assert len(copies(calls)) == 1


def test_an_image_without_labels_at_several_scales(network):
    maps = maps_of(network, picture(), [], renormalise=True, low_precision=False, scales=[1.0, 2.0], flip=True)
    assert maps["cam"].shape == (0, 3, 4)


@pytest.mark.parametrize("flip", [False, True])
def test_the_prediction_has_its_share(network, flip):
    """Softmax over the background and the image's own tags, mean over views; P_c for CAMs, 1 - P_0 for saliency."""
    image = picture(24, 32)
    options = {"renormalise": True, "low_precision": False, "flip": flip}
    alone, found = (maps_of(network, image, [2, 0], prediction_share=share, **options) for share in (0.0, 0.25))
    views = [image, image.flip(3)][: 1 + flip]
    predicted = []
    for view, mirrored in zip(views, (False, True), strict=False):
        with torch.no_grad():
            logits = network(view).refined_segmentation[0].double().numpy()[[0, 3, 1]]
        each = np.array([[reference.softmax(logits[:, y, x]) for x in range(4)] for y in range(3)]).transpose(2, 0, 1)
        predicted.append(each[:, :, ::-1] if mirrored else each)
    mean = np.mean(predicted, axis=0)
    np.testing.assert_allclose(found["cam"], 0.25 * mean[1:] + 0.75 * alone["cam"].astype(float), atol=2e-3)
    np.testing.assert_allclose(found["saliency"], 0.25 * (1 - mean[0]) + 0.75 * alone["saliency"], atol=2e-3)
    for name in ("prediction", "confidence", "entropy", "scores"):
        assert (found[name] == alone[name]).all()


def test_the_prediction_of_an_image_without_labels_is_background(network):
    maps = maps_of(network, picture(), [], renormalise=True, low_precision=False, prediction_share=1.0)
    assert maps["cam"].shape == (0, 3, 4)
    assert (maps["saliency"] == 0).all()


def test_with_a_decoder_maps_have_its_grid():
    network = AuxSegNet(strided_backbone(), 3, 16, network_params(decoder=8)).eval()
    torch.nn.init.normal_(network.decoder.predict.weight)
    image = picture(40, 48)
    maps = maps_of(network, image, [1], renormalise=True, low_precision=False, prediction_share=1.0)
    assert {name: value.shape[-2:] for name, value in maps.items() if value.ndim > 1} == {
        "cam": (10, 12),
        "saliency": (10, 12),
        "prediction": (3, 3),
        "confidence": (3, 3),
        "entropy": (3, 3),
    }
    with torch.no_grad():
        logits = network(image).decoded[0].double().numpy()[[1, 3]]  # saliency comes first
    wanted = 1 / (1 + np.exp(logits[0] - logits[1]))
    alone = maps_of(network, image, [1], renormalise=True, low_precision=False)
    assert alone["cam"].shape == (1, 3, 3)  # the CAM itself says no more on a finer grid
    assert alone["saliency"].shape == (10, 12)
    assert (alone["prediction"] == maps["prediction"]).all()
    with torch.no_grad():
        shares = torch.softmax(network(image).final_segmentation, dim=1).numpy()[0]
    np.testing.assert_allclose(maps["confidence"], upsample(shares, 3, 3).max(axis=0), atol=2e-3)
    np.testing.assert_allclose(maps["cam"][0], wanted, atol=2e-3)
    np.testing.assert_allclose(maps["saliency"], wanted, atol=2e-3)


@pytest.mark.parametrize("renormalise", [False, True])
def test_the_initial_cam_has_its_share(network, renormalise):
    image = picture(24, 32)
    alone = maps_of(network, image, [2, 0], renormalise=renormalise, low_precision=False)["cam"]
    initial = np.random.default_rng(0).random((2, 6, 8)).astype(np.float16)
    found = maps_of(
        network, image, [2, 0], renormalise=renormalise, low_precision=False, initial=initial, initial_share=0.75
    )["cam"]
    wanted = 0.75 * upsample(initial, 3, 4) + 0.25 * alone.astype(np.float32)
    if renormalise:
        wanted /= wanted.max(axis=(1, 2), keepdims=True) + 1e-5
    np.testing.assert_allclose(found, wanted, atol=2e-3)
    without = maps_of(
        network, image, [2, 0], renormalise=renormalise, low_precision=False, initial=None, initial_share=0.75
    )["cam"]
    assert (without == alone).all()


def test_unknown_tags_leave_the_prediction_out_of_the_maps(network, tmp_path):
    """A val image without image-level labels shows something; one that is tagged with nothing does not."""
    Image.fromarray(picture(24, 32)[0].permute(1, 2, 0).numpy().astype(np.uint8)).save(tmp_path / "a.png")
    dataset = SimpleNamespace(root=tmp_path, classes=ClassTable(("cat", "dog", "cow"), (1, 2, 3)))
    write_tensors(tmp_path / "maps.safetensors", {})

    def saliency(is_tagged, share):
        record = ImageRecord("a", "a.png", 32, 24, "val", (), "", is_tagged=is_tagged)
        maps, params = TensorFile(tmp_path / "maps.safetensors"), PropagateParams(prediction_share=share)
        cpu = torch.device("cpu")
        found = propagate_images(network, dataset, [record], maps, params, RuntimeParams(precision="float32"), cpu, "")
        return found["a.saliency"].astype(np.float32)

    assert (saliency(False, 0.5) == saliency(False, 0.0)).all() and saliency(False, 0.0).max() > 0
    np.testing.assert_allclose(saliency(True, 0.5), saliency(True, 0.0) / 2, atol=1e-3)


def test_kept_maps_hold_no_memory_of_tensors(network, tmp_path):
    """A shard has thousands of them, and on a GPU those of tensors are pinned."""
    Image.fromarray(np.zeros((24, 32, 3), np.uint8)).save(tmp_path / "a.png")
    write_tensors(tmp_path / "maps.safetensors", {})
    maps, record = TensorFile(tmp_path / "maps.safetensors"), ImageRecord("a", "a.png", 32, 24, "train", ("cat",), "")
    dataset = SimpleNamespace(root=tmp_path, classes=ClassTable(("cat", "dog", "cow"), (1, 2, 3)))
    cpu = torch.device("cpu")
    found = propagate_images(network, dataset, [record], maps, PropagateParams(), RuntimeParams(), cpu, "")
    assert len(found) == 6 and all(value.flags.owndata for value in found.values())


def test_a_network_full_of_nan_is_named_with_its_image(tmp_path):
    Image.fromarray(np.zeros((16, 24, 3), np.uint8)).save(tmp_path / "a.png")
    write_tensors(tmp_path / "maps.safetensors", {"a.cam": np.zeros((1, 2, 3), np.float16)})
    record = ImageRecord("a", "a.png", 24, 16, "train", ("cat",), "")
    dataset = SimpleNamespace(root=tmp_path, classes=ClassTable(("cat", "dog", "cow"), (1, 2, 3)))
    for layer, name in (("saliency.predict", "saliency"), ("classification.linear", "cam")):
        network = tiny_auxsegnet()
        with torch.no_grad():
            network.get_submodule(layer).weight.fill_(float("nan"))
        with pytest.raises(
            DataError, match=f"image 'a': the network's {name} contains values that are not finite numbers"
        ):
            propagate_images(
                network,
                dataset,
                [record],
                TensorFile(tmp_path / "maps.safetensors"),
                PropagateParams(),
                RuntimeParams(),
                torch.device("cpu"),
                "",
            )


def test_a_classifier_full_of_nan_is_named_with_its_image(tmp_path):
    Image.fromarray(np.zeros((16, 24, 3), np.uint8)).save(tmp_path / "a.png")
    record = ImageRecord("a", "a.png", 24, 16, "train", ("cat",), "")
    dataset = SimpleNamespace(root=tmp_path, classes=ClassTable(("cat", "dog", "cow"), (1, 2, 3)))
    network = tiny_classifier()
    with torch.no_grad():
        network.classification.linear.weight.fill_(float("nan"))
    cams = classifier_cams(network, dataset, [record], CamParams(), RuntimeParams(), torch.device("cpu"))
    with pytest.raises(DataError, match="image 'a': the network's CAM contains values that are not finite numbers"):
        next(cams)
