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
    for record, photo in zip(records, read_photos(dataset.root, records), strict=True):
        image = to_tensor(photo, device, runtime)
        present = [dataset.classes.index(name) - 1 for name in record.tags]
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=low_precision):
            cam, scores = multi_scale_cam(network, image, present, params.scales, params.flip), network(image)[0]
        maps = {"cam": cam, "scores": scores}
        found = {name: value.float().cpu().numpy().astype(np.float16) for name, value in maps.items()}
        check_outputs({"CAM": found["cam"], "class scores": found["scores"]}, f"image '{record.id}'")
        yield found


@torch.no_grad()
def multi_scale_cam(
    network: Classifier, image: Tensor, classes: Sequence[int], scales: Sequence[float], flip: bool
) -> Tensor:
    """Return CAMs of some classes, float32 (L, h, w) in [0, 1], on the network's grid at scale 1.

    For each scale and flip: ReLU, resample to that grid, un-flip. Then sum, and divide each class by its maximum +
    1e-5.

    Args:
        network: the classifier, in eval mode.
        image: float (1, 3, H, W) in 0..255.
        classes: positions 0..C-1 of the L requested classes.
        scales: factors of the input size.
        flip: add the maps of the mirrored image.
    """
    if not classes:
        return torch.zeros((0, *_grid(network, image)), device=image.device)
    views = []
    for scale in sorted(scales, key=lambda scale: scale != 1):  # scale 1 first, because it sets the grid
        resized = scaled(image, scale)
        batch = torch.cat([resized, resized.flip(3)]) if flip else resized
        cam = F.relu(network.cam(batch)[:, list(classes)].float())
        views.append(cam[:1] + cam[1:].flip(3) if flip else cam)
    grid = views[0].shape[-2:] if 1 in scales else _grid(network, image)
    on_grid = (F.interpolate(view, size=grid, mode="bilinear", align_corners=False) for view in views)
    total = sum(on_grid, torch.zeros((), device=image.device))
    return normalise_cam(total[0])


def _grid(network: Classifier, image: Tensor) -> tuple[int, int]:
    height, width = network.backbone(image).shape[-2:]
    return height, width
