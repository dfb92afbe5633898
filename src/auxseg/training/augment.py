"""Random flip, scale, crop and colour jitter of one sample, drawn from torch's global generator.

A sample is an image and, for the multi-task network, its segmentation label and saliency label. Where a crop extends
beyond the image it is padded: mid-grey, label 255 and no saliency label. The released code labels padding as background
and not salient, and so does `padding: background` (docs/fidelity.md, quirk 6).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self, TypeVar

import torch
import torchvision.transforms.v2 as transforms
import torchvision.transforms.v2.functional as functional
from torch import Tensor

from auxseg.encoded import IGNORE
from auxseg.params.augmentation import AugmentParams
from auxseg.params.runtime import RuntimeParams

PADDING_GREY = 127
NO_SALIENCY = -1.0
"""Saliency target of padding; the loss leaves it out."""


@dataclass(frozen=True)
class Sample:
    """One training sample of the classifier.

    image: uint8 (3, H, W); classes: float32 (C,) multi-hot.
    """

    image: Tensor
    classes: Tensor

    def map(self, function: Callable[[Tensor], Tensor]) -> Self:
        """Return a sample of the same type with `function` applied to every tensor."""
        return type(self)(*(function(value) for value in vars(self).values()))

    def map_pixels(self, function: Callable[[str, Tensor], Tensor]) -> Self:
        """Return the sample with `function` of name and tensor applied to all but the classes."""
        return replace(self, **{name: function(name, value) for name, value in vars(self).items() if name != "classes"})

    def pin_memory(self) -> Self:
        """Return the sample in pinned memory; the loader calls this method if it exists."""
        return self.map(lambda tensor: tensor.pin_memory())


@dataclass(frozen=True)
class PixelSample(Sample):
    """One training sample of the multi-task network.

    label: uint8 (1, H, W) of class indices and 255; saliency: float32 (1, H, W) in [0, 1].
    """

    label: Tensor
    saliency: Tensor


AnySample = TypeVar("AnySample", bound=Sample)


class Augment:
    """Apply AugmentParams to a sample; the result is `crop` x `crop`.

    Without `resize_long`, a sample is first resized to the longer side that `runtime` asks for, as in every other
    stage, and `scale` multiplies that. `resize_long` sets the longer side itself.
    """

    def __init__(self, params: AugmentParams, runtime: RuntimeParams | None = None):
        self.params = params
        self.runtime = runtime
        brightness, contrast, saturation, hue = params.jitter
        self.jitter = transforms.ColorJitter(brightness, contrast, saturation, hue) if any(params.jitter) else None

    def __call__(self, sample: AnySample, scale_draw: torch.Generator | None = None) -> AnySample:
        """Return the augmented sample; `scale_draw` draws the scale instead of torch's global generator."""
        if self.params.flip and torch.rand(()) < 0.5:
            sample = sample.map_pixels(lambda name, tensor: functional.horizontal_flip(tensor))
        sample = self._resize(sample, scale_draw)
        sample = self._crop(sample)
        if self.jitter:
            sample = replace(sample, image=self.jitter(sample.image))
        return sample

    def _resize(self, sample: AnySample, scale_draw: torch.Generator | None) -> AnySample:
        height, width = sample.image.shape[-2:]
        factor = self.runtime.factor(max(height, width)) if self.runtime else 1.0
        if self.params.resize_long:
            shortest, longest = self.params.resize_long
            factor = int(torch.randint(shortest, longest + 1, (), generator=scale_draw)) / max(height, width)
        elif self.params.scale:
            low, high = self.params.scale
            factor *= low + (high - low) * float(torch.rand((), generator=scale_draw))
        if factor == 1:
            return sample
        size = [max(1, round(height * factor)), max(1, round(width * factor))]

        def resize(name: str, tensor: Tensor) -> Tensor:
            resized: Tensor
            if name == "label":  # indices cannot be averaged
                # exact, because torch's plain NEAREST samples a pixel's corner: half a pixel off image and saliency
                resized = functional.resize(tensor, size, transforms.InterpolationMode.NEAREST_EXACT)
            else:
                resized = functional.resize(tensor, size, antialias=True)
            return resized

        return sample.map_pixels(resize)

    def _crop(self, sample: AnySample) -> AnySample:
        side = self.params.crop
        height, width = sample.image.shape[-2:]
        top, left = _offset(height, side), _offset(width, side)
        label, saliency = (IGNORE, NO_SALIENCY) if self.params.padding == "ignore" else (0, 0.0)
        fills = {"image": PADDING_GREY, "label": label, "saliency": saliency}
        return sample.map_pixels(lambda name, tensor: _window(tensor, top, left, side, fills[name]))


def _offset(length: int, side: int) -> int:
    """Draw the start of the crop: inside a longer image, or before the start of a shorter one (negative)."""
    low, high = min(0, length - side), max(0, length - side)
    return int(torch.randint(low, high + 1, ()))


def _window(tensor: Tensor, top: int, left: int, side: int, fill: float) -> Tensor:
    """Cut out a window that may extend beyond the tensor, and fill the outside with `fill`."""
    height, width = tensor.shape[-2:]
    window = torch.full((tensor.shape[0], side, side), fill, dtype=tensor.dtype)
    y0, y1 = max(top, 0), min(top + side, height)
    x0, x1 = max(left, 0), min(left + side, width)
    window[:, y0 - top : y1 - top, x0 - left : x1 - left] = tensor[:, y0:y1, x0:x1]
    return window
