"""Final predictions of images (docs/method.md section 2, "Final"): multi-scale inference, then the CRF."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from auxseg.crf import class_crf
from auxseg.inference import predict
from auxseg.maps import upsample
from auxseg.models.auxsegnet import AuxSegNet
from auxseg.models.inputs import to_tensor
from auxseg.parallel import background_processes
from auxseg.params.crf import CrfParams
from auxseg.params.evaluate import EvaluateParams
from auxseg.params.runtime import RuntimeParams

KINDS = ("model", "model+ms", "model+ms+crf")
"""What the tables call the parts of a `Prediction`, in its order."""


class Prediction(NamedTuple):
    """Class indices of one image at its own size, each uint8 (H, W)."""

    single: np.ndarray
    """At scale 1, without post-processing."""
    joined: np.ndarray
    """From all scales and flips, without post-processing."""
    final: np.ndarray
    """From all scales and flips, after the CRF."""


def predict_photos(
    network: AuxSegNet,
    photos: Iterable[np.ndarray],
    params: EvaluateParams,
    runtime: RuntimeParams,
    device: torch.device,
) -> Iterator[Prediction]:
    """Yield the prediction of each image, in order; the CRF runs in worker processes while the network goes on.

    Args:
        network: in eval mode, on `device`.
        photos: RGB, uint8 (H, W, 3), of any sizes; read one after the other, a few ahead of the predictions.
        params: scales, flip, how views are combined, CRF.
        runtime: longest side and precision.
        device: the device of the network.
    """

    def probabilities() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        for rgb in photos:
            image = to_tensor(rgb, device, runtime)
            single, joined = predict(
                network,
                image,
                params.scales,
                flip=params.flip,
                combine=params.combine,
                low_precision=runtime.low_precision,
                recognition=params.recognition,
            )
            yield rgb, single, joined

    return background_processes(partial(_post_process, crf=params.crf), probabilities())


def _post_process(item: tuple[np.ndarray, np.ndarray, np.ndarray], crf: CrfParams) -> Prediction:
    rgb, single, joined = item
    single, joined = (upsample(maps, *rgb.shape[:2]) for maps in (single, joined))
    refined = class_crf(rgb, joined, crf)
    return Prediction(*(maps.argmax(axis=0).astype(np.uint8) for maps in (single, joined, refined)))
