"""Multi-scale class activation maps, as in PSA (docs/method.md section 2, r0)."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ImageRecord
from auxseg.datasets.photos import read_photos
from auxseg.models.checks import check_outputs
from auxseg.models.classifier import Classifier, normalise_cam
from auxseg.models.inputs import scaled, to_tensor
from auxseg.models.resampling import resample
from auxseg.models.transfer import to_arrays, to_device
from auxseg.params.cam import CamParams
from auxseg.params.runtime import RuntimeParams


def classifier_cams(
    network: Classifier,
    dataset: Dataset,
    records: Sequence[ImageRecord],
    params: CamParams,
    runtime: RuntimeParams,
    device: torch.device,
) -> Iterator[dict[str, np.ndarray]]:
    """Yield what the classifier makes of each image.

    `cam`: the CAMs of its classes, float16 (L, h, w) in [0, 1], in their order. `scores`: the image-level logits of all
    classes, float16 (C,).

    Args:
        network: in eval mode, on `device`.
        dataset: classes and image root.
        records: the images.
        params: scales and flip.
        runtime: longest side and precision.
        device: the device of the network.
    """
    low_precision = runtime.low_precision and network.backbone.dense_convolutions

    def maps(record: ImageRecord, photo: np.ndarray) -> dict[str, Tensor]:
        image = to_tensor(photo, device, runtime)
        present = [dataset.classes.index(name) - 1 for name in record.tags]
        with torch.autocast(device.type, torch.bfloat16, enabled=low_precision):
            cam, scores = multi_scale_cam(network, image, present, params.scales, params.flip)
        return {"cam": cam.half(), "scores": scores.half()}

    found = map(maps, records, read_photos(dataset.root, records))
    for record, arrays in zip(records, to_arrays(found), strict=True):
        check_outputs({"CAM": arrays["cam"], "class scores": arrays["scores"]}, f"image '{record.id}'")
        yield arrays


@torch.no_grad()
def multi_scale_cam(
    network: Classifier, image: Tensor, classes: Sequence[int], scales: Sequence[float], flip: bool
) -> tuple[Tensor, Tensor]:
    """Return CAMs of some classes, float32 (L, h, w) in [0, 1], and the image-level logits of all, float32 (C,).

    For each scale and flip: ReLU, resample to the network's grid at scale 1, un-flip. Then sum, and divide each class
    by its maximum + 1e-5. The logits are the means of the raw maps at scale 1 over all positions: the same as the
    classification branch's, which is linear.

    Args:
        network: the classifier, in eval mode.
        image: float (1, 3, H, W) in 0..255.
        classes: positions 0..C-1 of the L requested classes.
        scales: factors of the input size.
        flip: add the maps of the mirrored image.
    """
    # on the device once: as a list, every view would copy it there and wait
    chosen = to_device(torch.tensor(classes, dtype=torch.long), image.device)
    flip = flip and bool(classes)

    def raw(scale: float) -> Tensor:
        resized = scaled(image, scale)
        return network.cam(torch.cat([resized, resized.flip(3)]) if flip else resized).float()

    at_scale_1 = raw(1.0)
    height, width = at_scale_1.shape[-2:]
    total = torch.zeros((len(classes), height, width), device=image.device)
    for scale in scales if classes else ():
        cam = F.relu((at_scale_1 if scale == 1 else raw(scale))[:, chosen])
        view = cam[:1] + cam[1:].flip(3) if flip else cam
        total += resample(view, (height, width))[0]
    return normalise_cam(total), at_scale_1[0].mean(dim=(1, 2))
