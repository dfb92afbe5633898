"""Final predictions: which of the three is which."""

from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F

from auxseg.crf import class_crf
from auxseg.inference import predict
from auxseg.maps import upsample
from auxseg.models.inputs import to_tensor
from auxseg.params.evaluate import EvaluateParams
from auxseg.params.runtime import RuntimeParams
from auxseg.prediction import Prediction, predict_photos

CPU = torch.device("cpu")
PARAMS = EvaluateParams(scales=[0.5, 1.0], flip=True)
RUNTIME = RuntimeParams(max_side=64)


def network(batch, low_precision):
    """Three classes, by the colour of 8 x 8 pixels and, so that a mirrored image differs, of those to their right."""
    colours = F.avg_pool2d(batch, 8, ceil_mode=True) / 32
    return SimpleNamespace(refined_segmentation=colours + colours.roll(1, dims=3))


def test_single_scale_all_scales_and_crf():
    rng = np.random.default_rng(0)
    photos = [rng.integers(0, 256, (*size, 3), np.uint8) for size in ((48, 40), (40, 88))]  # the second is reduced
    for rgb, found in zip(photos, predict_photos(network, photos, PARAMS, RUNTIME, CPU), strict=True):
        views = predict(
            network, to_tensor(rgb, CPU, RUNTIME), PARAMS.scales, flip=True, combine="mean", low_precision=False
        )
        single, joined = (upsample(view, *rgb.shape[:2]) for view in views)
        expected = Prediction(
            single.argmax(axis=0), joined.argmax(axis=0), class_crf(rgb, joined, PARAMS.crf).argmax(axis=0)
        )
        for one, other in zip(found, expected, strict=True):
            assert one.dtype == np.uint8
            np.testing.assert_array_equal(one, other)
        assert (found.single != found.joined).any() and (found.joined != found.final).any()
