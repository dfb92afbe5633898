"""Final predictions: which views there are, how they are joined, and which of the three kinds is which."""

from types import SimpleNamespace

import numpy as np
import pytest
import reference
import torch
import torch.nn.functional as F
from tiny_networks import picture, tiny_auxsegnet

from auxseg.crf import class_crf
from auxseg.encoded import encode_label
from auxseg.errors import DataError, ParamsError
from auxseg.maps import upsample
from auxseg.models.inputs import scaled, to_tensor
from auxseg.params.evaluate import EvaluateParams
from auxseg.params.runtime import RuntimeParams
from auxseg.post_processing import Prediction
from auxseg.prediction import predict, predict_photos, reweight, segment_photos

CPU = torch.device("cpu")
PARAMS = EvaluateParams(scales=[0.5, 1.0], flip=True)
RUNTIME = RuntimeParams(max_side=64)
SCALES = [0.5, 1.0, 1.5]


@pytest.fixture(scope="module")
def network():
    return tiny_auxsegnet()


def view(network, image, scale, flip):
    """Softmax of the refined logits of one view at image size, un-flipped, by loops."""
    resized = scaled(image, scale)
    with torch.no_grad():
        logits = network(resized.flip(3) if flip else resized).refined_segmentation[0].double().numpy()
    large = np.stack([reference.bilinear(plane, *image.shape[-2:]) for plane in logits])
    out = np.zeros_like(large)
    for y in range(large.shape[1]):
        for x in range(large.shape[2]):
            out[:, y, x] = reference.softmax(large[:, y, x])
    return out[:, :, ::-1] if flip else out


def views_of(*arguments, **options) -> list[np.ndarray]:
    return [found.numpy() for found in predict(*arguments, **options)]


@pytest.mark.parametrize("combine", ["mean", "max"])
@pytest.mark.parametrize("flip", [False, True])
def test_views_and_how_they_are_joined(network, flip, combine):
    image = picture(24, 32)
    views = [view(network, image, s, f) for s in SCALES for f in ((False, True) if flip else (False,))]
    joined = sum(views) / len(views) if combine == "mean" else np.max(views, axis=0)
    joined = joined / joined.sum(axis=0)
    single, found = views_of(network, image, SCALES, flip=flip, combine=combine, low_precision=False)
    np.testing.assert_allclose(single, view(network, image, 1.0, False), atol=1e-5)
    np.testing.assert_allclose(found, joined, atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-5)
    assert (single.shape, single.dtype, found.shape, found.dtype) == ((4, 24, 32), np.float32) * 2
    assert np.abs(found - single).max() > 1e-3


def test_one_view_is_the_single_scale(network):
    single, joined = views_of(network, picture(), [1.0], flip=False, combine="mean", low_precision=False)
    np.testing.assert_allclose(joined, single, atol=1e-6)


def test_a_mirrored_image_has_the_mirrored_prediction(network):
    image = picture(24, 32)
    _, found = views_of(network, image, SCALES, flip=True, combine="mean", low_precision=False)
    _, mirrored = views_of(network, image.flip(3), SCALES, flip=True, combine="mean", low_precision=False)
    np.testing.assert_allclose(mirrored[:, :, ::-1], found, atol=1e-5)


def test_mean_and_maximum_differ(network):
    results = [
        views_of(network, picture(), SCALES, flip=True, combine=combine, low_precision=False)[1]
        for combine in ("mean", "max")
    ]
    assert np.abs(results[0] - results[1]).max() > 1e-4


@pytest.mark.parametrize("scales", [[0.5, 1.5], [1.0, 0.0], [1.0, -0.5]])
def test_scales_without_the_single_one_are_rejected(scales):
    with pytest.raises(ParamsError, match=r"'evaluate\.scales"):
        EvaluateParams.parse({"scales": scales})
    assert EvaluateParams.parse({"scales": [2.0, 1.0]}).scales == [2.0, 1.0]


def test_recognition_moves_objects_between_classes_alone():
    """Against the formula, pixel by pixel, and the background and the objects' sum stay what they were."""
    generator = np.random.default_rng(0)
    before = generator.dirichlet(np.ones(4), size=(5, 6)).transpose(2, 0, 1).astype(np.float32)
    shown = np.array([0.9, 1e-4, 0.3], np.float32)
    after = reweight(torch.from_numpy(before), torch.from_numpy(shown), 2.0).numpy()
    for y, x in np.ndindex(5, 6):
        weighted = before[1:, y, x] * shown**2
        np.testing.assert_allclose(after[1:, y, x], weighted / weighted.sum() * before[1:, y, x].sum(), atol=1e-6)
    np.testing.assert_array_equal(after[0], before[0])


def test_recognition_of_classes_that_no_pixel_has_changes_nothing():
    sure = torch.zeros(3, 2, 2)
    sure[0] = 1
    assert torch.equal(reweight(sure, torch.tensor([0.0, 0.0]), 1.0), sure)


def test_recognition_applies_to_the_joined_views(network):
    image = picture()
    single, joined = views_of(network, image, SCALES, flip=True, combine="mean", low_precision=False)
    same, weighted = views_of(network, image, SCALES, flip=True, combine="mean", low_precision=False, recognition=1.0)
    with torch.no_grad():
        views = [v for s in SCALES for v in (scaled(image, s), scaled(image, s).flip(3))]
        shown = torch.cat([torch.sigmoid(network(v).classification) for v in views]).mean(dim=0)
    np.testing.assert_array_equal(same, single)
    np.testing.assert_allclose(weighted, reweight(torch.from_numpy(joined), shown, 1.0).numpy(), atol=1e-6)
    assert np.abs(weighted - joined).max() > 1e-4


def colours_network(batch, low_precision):
    """Three classes, by the colour of 8 x 8 pixels and, so that a mirrored image differs, of those to their right."""
    colours = F.avg_pool2d(batch, 8, ceil_mode=True) / 32
    return SimpleNamespace(final_segmentation=colours + colours.roll(1, dims=3))


def test_single_scale_all_scales_and_crf():
    rng = np.random.default_rng(0)
    photos = [rng.integers(0, 256, (*size, 3), np.uint8) for size in ((48, 40), (40, 88))]  # the second is reduced
    for rgb, found in zip(photos, predict_photos(colours_network, photos, PARAMS, RUNTIME, CPU), strict=True):
        views = views_of(
            colours_network, to_tensor(rgb, CPU, RUNTIME), PARAMS.scales, flip=True, combine="mean", low_precision=False
        )
        single, joined = (upsample(view, *rgb.shape[:2]) for view in views)
        expected = Prediction(
            single.argmax(axis=0), joined.argmax(axis=0), class_crf(rgb, joined, PARAMS.crf).argmax(axis=0)
        )
        for one, other in zip(found, expected, strict=True):
            assert one.dtype == np.uint8
            np.testing.assert_array_equal(one, other)
        assert (found.single != found.joined).any() and (found.joined != found.final).any()


@pytest.mark.parametrize(("masked", "used"), [((), "final"), (("b",), "all")])
def test_without_val_masks_the_stage_makes_only_final_ones(load_stage, monkeypatch, masked, used):
    """The kinds that are only measured are not made where there is nothing to measure them against."""
    stage = load_stage("evaluate")
    label = np.array([[0, 1], [2, 1]], np.uint8)
    records = [SimpleNamespace(id=name) for name in ("a", "b")]
    called, written = [], {}

    def made(kind, item):
        return lambda network, photos, *_: [called.append(kind) or item for _ in photos]

    monkeypatch.setattr(stage, "segment_photos", made("final", (label, np.ones(label.shape, np.float32))))
    monkeypatch.setattr(stage, "predict_photos", made("all", Prediction(0 * label, 0 * label, label)))
    monkeypatch.setattr(stage, "load_auxsegnet", lambda *_: None)
    monkeypatch.setattr(stage, "noted_precision", lambda runtime, _: runtime)
    monkeypatch.setattr(stage, "read_photos", lambda root, records: iter(records))
    monkeypatch.setattr(stage, "prepare_device", lambda *_: CPU)
    monkeypatch.setattr(stage, "write_archive", lambda path, files: written.update(files))
    monkeypatch.setattr(stage, "write_counts", lambda path, counts: written.update(counts=counts))
    dataset = SimpleNamespace(classes=("cat", "dog"), root=None, records=lambda split: records)
    monkeypatch.setattr(stage, "Dataset", lambda _: dataset)
    monkeypatch.setattr(stage, "Masks", SimpleNamespace(of=lambda _: dict.fromkeys(masked, label)))
    store = SimpleNamespace(weights=str, predictions=str, evaluation=str)
    stage.main(SimpleNamespace(params=lambda model: model(), inputs=store, outputs=store, round="r1"))
    assert called == [used] * 2
    assert written["a.png"] == written["b.png"] == encode_label(label)
    assert {kind: count.means()["miou"] for kind, count in written["counts"].items()} == (
        {"model": pytest.approx(100 / 12), "model+ms": pytest.approx(100 / 12), "model+ms+crf": 100} if masked else {}
    )


def test_confidence_is_the_networks_probability_of_the_final_class():
    rgb = np.random.default_rng(0).integers(0, 256, (48, 40, 3), np.uint8)
    (final,) = [one.final for one in predict_photos(colours_network, [rgb], PARAMS, RUNTIME, CPU)]
    ((classes, confidence),) = segment_photos(colours_network, [rgb], PARAMS, RUNTIME, CPU)
    np.testing.assert_array_equal(classes, final)
    _, joined = views_of(
        colours_network, to_tensor(rgb, CPU, RUNTIME), PARAMS.scales, flip=True, combine="mean", low_precision=False
    )
    joined = upsample(joined, 48, 40)
    for y, x in np.ndindex(48, 40):
        assert confidence[y, x] == joined[final[y, x], y, x]
    assert (final != joined.argmax(axis=0)).any(), "the CRF changed nothing"


def test_a_large_image_has_its_crf_on_a_grid():
    rgb = np.random.default_rng(0).integers(0, 256, (48, 80, 3), np.uint8)
    params = PARAMS.model_copy(update={"crf_side": 64})
    _, joined = views_of(
        colours_network, to_tensor(rgb, CPU, RUNTIME), PARAMS.scales, flip=True, combine="mean", low_precision=False
    )
    wanted = upsample(class_crf(rgb, joined, PARAMS.crf, side=64), 48, 80).argmax(axis=0)
    (found,) = [one.final for one in predict_photos(colours_network, [rgb], params, RUNTIME, CPU)]
    np.testing.assert_array_equal(found, wanted)
    (whole,) = [one.final for one in predict_photos(colours_network, [rgb], PARAMS, RUNTIME, CPU)]
    assert (found != whole).any()


@pytest.mark.parametrize("layer", ["segmentation.predict", "backbone.body", "classification.linear"])
def test_a_network_full_of_nan_predicts_nothing(layer):
    """Its argmax would be a class; that of the classification branch counts where `recognition` uses it."""
    network = tiny_auxsegnet()
    with torch.no_grad():
        network.get_submodule(layer).weight.fill_(float("nan"))
    photos = [np.zeros((16, 24, 3), np.uint8)]
    params = PARAMS.model_copy(update={"recognition": 1.0})
    for predicted in (segment_photos, predict_photos):
        with pytest.raises(DataError, match="image 1: the network's prediction contains values that are no"):
            list(predicted(network, photos, params, RUNTIME, CPU))
