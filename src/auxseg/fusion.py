"""Heuristic fusion of CAM and saliency into pseudo labels (docs/method.md section 2).

Everything is computed from *stored* values, 8-bit saliency and float16 CAM, so that the report can recompute every
decision exactly. This module uses no network and no torch.
"""

from collections.abc import Sequence

import numpy as np

from auxseg.crf import class_crf, saliency_crf
from auxseg.encoded import IGNORE
from auxseg.maps import strongest, upsample
from auxseg.params.crf import CLASS_CRF
from auxseg.params.labels import LabelsParams

FUSED = 0.9
"""Probability of its class at a pixel that the fusion gives one; 0.8 and 0.95 lead to labels within half a point."""


def fuse(
    cam: np.ndarray,
    classes: Sequence[int],
    saliency: np.ndarray,
    cam_threshold: float,
    saliency_threshold: float,
    background_threshold: float | None = None,
) -> np.ndarray:
    """Return a pseudo label, uint8 (H, W): class index, 0 = background, 255 = CAM and saliency disagree.

    object = max_c CAM_c > cam_threshold, salient = S > saliency_threshold; both: argmax_c; neither: 0. With a
    background_threshold, that is what the CAM is compared with where nothing is salient. An image that is tagged with
    nothing is background everywhere, because what is salient there is not one of the classes.

    Args:
        cam: float (L, H, W) of the classes that the image is tagged with.
        classes: their class indices, 1..C.
        saliency: float (H, W) in [0, 1].
    """
    if len(cam) == 0:
        return np.zeros(saliency.shape, np.uint8)
    salient = saliency > saliency_threshold
    label = np.where(salient, IGNORE, 0).astype(np.uint8)
    peak = cam.max(axis=0)
    label[(peak > (cam_threshold if background_threshold is None else background_threshold)) & ~salient] = IGNORE
    both = (peak > cam_threshold) & salient
    label[both] = np.asarray(classes, np.uint8)[cam.argmax(axis=0)][both]
    return label


def saliency_label(image: np.ndarray, prior: np.ndarray, refined: np.ndarray, params: LabelsParams) -> np.ndarray:
    """Return the saliency label of a round after r0, float32 (H, W): CRF(w S + (1 - w) sigma(P_sal')).

    Args:
        image: uint8 (H, W, 3).
        prior: the off-the-shelf S, float32 (H, W) in [0, 1].
        refined: sigma(P_sal') at network resolution, float (h, w) in [0, 1].
    """
    up = upsample(refined[None], *prior.shape)[0]
    mixed = params.prior_weight * prior + (1 - params.prior_weight) * up
    return saliency_crf(image, mixed, params.saliency_crf, params.crf_side)


def complete(image: np.ndarray, label: np.ndarray, classes: Sequence[int], side: int | None) -> np.ndarray:
    """Return a fused label after a CRF, uint8 (H, W), in which ignored pixels have a class.

    Where the label has a class, that class has the probability FUSED and the others share the rest; where it is
    ignored, all are equally probable. If a class of `classes` has no pixel in the label, ignored pixels stay 255. Not
    in the papers. It pays if the training is long and the network has a decoder; a short one learns more from labels
    that leave out what they do not know (docs/quality.md).

    Args:
        image: uint8 (H, W, 3).
        label: uint8 (H, W), 0, 255 and `classes`.
        classes: class indices 1..C of the image's L tags.
        side: longest side of the CRF's grid, pixels; None for the image's own size.
    """
    if not len(classes):
        return label
    names = np.array([0, *classes], np.uint8)
    probabilities = np.full((len(names), *label.shape), 1 / len(names), np.float32)
    known = label != IGNORE
    probabilities[:, known] = np.where(names[:, None] == label[known], FUSED, (1 - FUSED) / len(classes))
    completed: np.ndarray = names[strongest(class_crf(image, probabilities, CLASS_CRF, side), *label.shape)]
    if not np.isin(names[1:], label).all():
        completed[~known] = IGNORE  # the missing object is most likely there, and the CRF knows nothing of it
    return completed
