"""Final predictions of images (docs/method.md section 2, "Final"): multi-scale inference, then the CRF."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from auxseg.models.auxsegnet import AuxSegNet
from auxseg.models.checks import check_outputs
from auxseg.models.inputs import scaled, to_tensor
from auxseg.models.resampling import resample
from auxseg.models.transfer import to_arrays
from auxseg.parallel import background_processes
from auxseg.params.evaluate import EvaluateParams
from auxseg.params.runtime import RuntimeParams
from auxseg.post_processing import Prediction, Views, post_process, with_confidence


def predict_photos(
    network: AuxSegNet,
    photos: Iterable[np.ndarray],
    params: EvaluateParams,
    runtime: RuntimeParams,
    device: torch.device,
) -> Iterator[Prediction]:
    """Yield all kinds of predictions of each image, in order; the CRF runs in workers while the network continues.

    Args:
        network: in eval mode, on `device`.
        photos: RGB, uint8 (H, W, 3), of any sizes; read one after the other, a few ahead of the predictions.
        params: scales, flip, how views are combined, CRF.
        runtime: longest side and precision.
        device: the device of the network.
    """
    views = _probabilities(network, photos, params, runtime, device)
    return background_processes(partial(post_process, params=params), views)


def segment_photos(
    network: AuxSegNet,
    photos: Iterable[np.ndarray],
    params: EvaluateParams,
    runtime: RuntimeParams,
    device: torch.device,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the final prediction of each image and its confidence, in order; arguments as for `predict_photos`.

    This is all that is needed without masks to measure against.

    Yields:
        Class indices, uint8 (H, W); and the probability, float32 (H, W) in 0..1, that the network gives the class at
        each pixel, from all scales and flips. The CRF's own probabilities are close to 0 or 1 nearly everywhere; here,
        a pixel whose class the CRF changed has a low value.
    """
    views = _probabilities(network, photos, params, runtime, device)
    return background_processes(partial(with_confidence, params=params), views)


def _probabilities(
    network: AuxSegNet,
    photos: Iterable[np.ndarray],
    params: EvaluateParams,
    runtime: RuntimeParams,
    device: torch.device,
) -> Iterator[Views]:
    """Yield each image with what `predict` returns for it.

    Raises:
        DataError: a value is NaN or infinite; names the image by its number, from 1 on.
    """
    waiting: deque[np.ndarray] = deque()

    def views() -> Iterator[dict[str, Tensor]]:
        for rgb in photos:
            waiting.append(rgb)
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
            yield {"single": single, "joined": joined}

    for number, maps in enumerate(to_arrays(views()), 1):
        # softmax makes all channels of a pixel NaN if one is, and all views are in the second map
        check_outputs({"prediction": maps["joined"][0]}, f"image {number}")
        yield Views(waiting.popleft(), maps["single"], maps["joined"])


@torch.no_grad()
def predict(
    network: AuxSegNet,
    image: Tensor,
    scales: Sequence[float],
    *,
    flip: bool,
    combine: Literal["mean", "max"],
    low_precision: bool,
    recognition: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Return softmax of P_seg' (or of the decoder's) at image size, single-scale and multi-scale, on the device.

    Each is float32 (C + 1, H, W).

    The multi-scale result is the mean (or the maximum, renormalised) over scales and flips. The single-scale result is
    the view at scale 1 without flip. With `recognition`, the multi-scale result is also weighted by `reweight`.

    Args:
        network: in eval mode.
        image: float (1, 3, H, W) in 0..255.
        scales: factors of the input size, 1 among them.
        flip: add the mirrored image.
        combine: how views are combined.
        low_precision: use bfloat16 where it is faster.
        recognition: the exponent of `reweight`; 0 leaves the segmentation branch alone.
    """
    shown: list[Tensor] = []
    single: Tensor | None = None
    joined = torch.zeros((), device=image.device)
    join = torch.add if combine == "mean" else torch.maximum
    for scale in scales:
        resized = scaled(image, scale)
        batch = torch.cat([resized, resized.flip(3)]) if flip else resized
        outputs = network(batch, low_precision=low_precision)
        if recognition:
            shown.append(torch.sigmoid(outputs.classification))
        probabilities = torch.softmax(resample(outputs.final_segmentation, image.shape[-2:]), dim=1)
        if scale == 1:
            single = probabilities[0]
        # one view at a time, because all of them at image size would take gigabytes with 80 classes
        joined = join(joined, probabilities[0])
        if flip:
            joined = join(joined, probabilities[1].flip(2))
    if combine == "mean":
        joined = joined / (len(scales) * (2 if flip else 1))
    joined = joined / joined.sum(dim=0, keepdim=True)
    if recognition:
        probability = torch.cat(shown).mean(dim=0)
        joined = reweight(joined, probability, recognition)
        # `reweight` ignores NaN, which must reach the check of the result; this does not wait for a GPU
        joined = torch.where(torch.isfinite(probability).all(), joined, torch.nan)
    if single is None:
        raise ValueError("scales: 1 is missing, which gives the single-scale result")
    return single, joined


def reweight(probabilities: Tensor, shown: Tensor, exponent: float) -> Tensor:
    """Return pixels' class probabilities weighted by how likely the image shows each class; not in the papers.

    P'(c) is proportional to P(c) shown(c)^exponent over the object classes, and their sum stays what it was: this moves
    probability from one object class to another and never between object and background. A pixel may still become
    object, if one class gets what several shared, or background, if several get what one had.

    Args:
        probabilities: float (…, C + 1, H, W) in 0..1.
        shown: probability that the image shows each object class, float (…, C) in 0..1.
        exponent: above 0.
    """
    # with logarithms, because powers of small probabilities would become 0
    objects = probabilities[..., 1:, :, :]
    weights = torch.softmax(exponent * shown.clamp_min(1e-12).log(), dim=-1)[..., None, None]
    weighted = objects * weights
    total = weighted.sum(dim=-3, keepdim=True)
    scaled_objects = torch.where(total > 0, weighted * (objects.sum(dim=-3, keepdim=True) / total), objects)
    return torch.cat([probabilities[..., :1, :, :], scaled_objects], dim=-3)
