"""One pass of a round's network over images, for the maps that are cached between rounds (docs/method.md section 2)."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from auxseg.artifacts.tensors import TensorFile
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ImageRecord
from auxseg.datasets.photos import read_photos
from auxseg.datasets.stored import read_cam
from auxseg.maps import upsample
from auxseg.models.affinity import Affinity
from auxseg.models.auxsegnet import AuxSegNet
from auxseg.models.checks import check_outputs
from auxseg.models.classifier import normalise_cam
from auxseg.models.inputs import scaled, to_tensor
from auxseg.models.resampling import resample
from auxseg.models.tiles import TiledAffinity
from auxseg.models.transfer import to_arrays, to_device
from auxseg.parallel import track
from auxseg.params.propagate import PropagateParams
from auxseg.params.runtime import RuntimeParams


def propagate_images(
    network: AuxSegNet,
    dataset: Dataset,
    records: Sequence[ImageRecord],
    initial: TensorFile,
    params: PropagateParams,
    runtime: RuntimeParams,
    device: torch.device,
    title: str,
) -> dict[str, np.ndarray]:
    """Return the maps of some images, `<id>.<map>` -> array, as `propagate_image` returns them.

    Args:
        network: in eval mode, on `device`.
        dataset: classes and image root.
        records: the images; val images have no CAM in `initial`.
        initial: `<id>.cam` -> CAM of r0, float (L, h', w').
        params: views, and the share of `initial`.
        runtime: longest side and precision.
        device: the device of the network.
        title: of the progress bar.
    """
    found = (
        propagate_image(
            network,
            to_tensor(photo, device, runtime),
            [dataset.classes.index(name) - 1 for name in record.tags],
            scales=params.scales,
            flip=params.flip,
            initial=read_cam(initial, record) if f"{record.id}.cam" in initial else None,
            initial_share=params.initial_share,
            prediction_share=params.prediction_share if record.is_tagged else 0.0,  # it needs the tags
            renormalise=params.renormalise_cam,
            low_precision=runtime.low_precision,
        )
        for record, photo in zip(records, read_photos(dataset.root, records), strict=True)
    )
    tensors: dict[str, np.ndarray] = {}
    for record, maps in zip(records, track(to_arrays(found), title, total=len(records)), strict=True):
        check_outputs(maps, f"image '{record.id}'")
        tensors |= {f"{record.id}.{name}": value.copy() for name, value in maps.items()}  # out of pinned memory
    return tensors


@torch.no_grad()
def propagate_image(
    network: AuxSegNet,
    image: Tensor,
    classes: Sequence[int],
    *,
    renormalise: bool,
    low_precision: bool,
    scales: Sequence[float] = (1.0,),
    flip: bool = False,
    initial: np.ndarray | None = None,
    initial_share: float = 0.0,
    prediction_share: float = 0.0,
) -> dict[str, Tensor]:
    """Return the maps of one image, at network resolution, on the network's device.

    Args:
        network: in eval mode.
        image: float (1, 3, H, W) in 0..255.
        classes: positions 0..C-1 of the L classes that the image is tagged with.
        renormalise: divide each refined CAM by its maximum again.
        low_precision: use bfloat16 where it is faster.
        scales: factors of the input size, 1 among them; refined CAM and saliency are means over all views.
        flip: add the mirrored views.
        initial: the CAM of r0, float (L, h', w'), for images that have one.
        initial_share: weight of `initial` in the returned CAM.
        prediction_share: weight of the segmentation's probabilities in the returned CAM and saliency.

    Returns:
        Maps on the network's grid at scale 1; with a decoder, the saliency is on the decoder's, and so is the CAM if
        the prediction has a share in it. The last four come only from the unmirrored view at scale 1. cam: refined CAM,
        with the shares of `initial` and of the segmentation, float16 (L, h, w); saliency: sigma(P_sal'), with the share
        of the segmentation, float16 (h, w); prediction: argmax of P_seg' (or of the decoder's), uint8 (h, w);
        confidence: its softmax probability, float16 (h, w); entropy: how widely each position's row of A_CT^p spreads,
        float16 (h, w), from 0 (one position) to 1 (uniform); scores: image-level logits of all classes, float16 (C,).
    """
    outputs = network(image, low_precision=low_precision)
    zero = torch.zeros((), device=image.device)
    coarse, fine = outputs.features.shape[-2:], outputs.final_saliency.shape[-2:]
    cam_size = fine if prediction_share else coarse  # CAMs alone say no more on a finer grid
    # on the device once: as lists, every view would copy them there and wait
    tagged = to_device(torch.tensor([0, *(position + 1 for position in classes)]), image.device)
    chosen = tagged[1:] - 1
    cams, saliencies, predictions = [], [], []
    for scale, mirrored in itertools.product(scales, (False, True) if flip else (False,)):
        if scale == 1 and not mirrored:
            view = outputs
        else:
            resized = scaled(image, scale)
            view = network(resized.flip(3) if mirrored else resized, low_precision=low_precision)
        cams.append(_on_grid(network.refined_cam(view)[:, chosen], cam_size, mirrored))
        saliencies.append(_on_grid(torch.sigmoid(view.final_saliency), fine, mirrored))
        if prediction_share:
            predictions.append(_on_grid(torch.softmax(view.final_segmentation[:, tagged], dim=1), fine, mirrored))
    cam, saliency = (sum(maps, zero) / len(maps) for maps in (cams, saliencies))
    if renormalise:
        cam = normalise_cam(cam)
    if initial is not None and initial_share:
        start = to_device(torch.from_numpy(upsample(initial, *cam.shape[-2:])), cam.device)
        cam = initial_share * start + (1 - initial_share) * cam
        cam = normalise_cam(cam) if renormalise else cam
    if prediction_share:
        predicted = sum(predictions, zero) / len(predictions)
        cam = prediction_share * predicted[1:] + (1 - prediction_share) * cam
        saliency = prediction_share * (1 - predicted[:1]) + (1 - prediction_share) * saliency
    confidence, prediction = _on_grid(torch.softmax(outputs.final_segmentation, dim=1), coarse, False).max(dim=0)
    pairwise = outputs.pairwise
    entropy = torch.zeros_like(confidence) if pairwise is None else affinity_entropy(pairwise)[0]
    return {
        "cam": cam.half(),
        "saliency": saliency[0].half(),
        "prediction": prediction.to(torch.uint8),
        "confidence": confidence.half(),
        "entropy": entropy.view_as(confidence).half(),
        "scores": outputs.classification[0].half(),
    }


def _on_grid(maps: Tensor, size: torch.Size, mirrored: bool) -> Tensor:
    """Return the maps (1, L, h', w') of a view as (L, h, w) of the given size, unmirrored."""
    if not maps.shape[1]:
        return maps.new_zeros(0, *size)
    maps = maps.flip(3) if mirrored else maps
    if maps.shape[-2:] != size:
        maps = resample(maps, size)
    return maps[0]


def affinity_entropy(affinity: Affinity) -> Tensor:
    """Return the entropy of each row of an affinity (B, N, N) divided by log N, (B, N) in [0, 1].

    Rows need not sum to 1.
    """
    if isinstance(affinity, TiledAffinity):
        return affinity.map_rows(affinity_entropy)
    rows = affinity / affinity.sum(dim=2, keepdim=True)
    entropies: Tensor = torch.special.entr(rows).sum(dim=2)
    return entropies / max(math.log(rows.shape[2]), 1e-5)
