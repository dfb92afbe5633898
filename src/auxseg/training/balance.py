"""Rare classes in training: how often a pass over the images draws each of them (docs/training.md, "Rare classes")."""

from collections import Counter
from collections.abc import Sequence

import torch

from auxseg.params.training import Balance

_POWERS: dict[Balance, float] = {"sqrt": 0.5, "inverse": 1.0}


def image_weights(tags: Sequence[Sequence[str]], balance: Balance) -> list[float] | None:
    """Return how often a pass draws each image, relative to the others; None if it draws each of them once.

    An image has the weight of its rarest class, (n of the commonest class / n of the class) ^ power, where n counts
    images and the power is 0.5 (sqrt) or 1 (inverse): the repeat factor of Gupta et al. (LVIS, 2019). An image without
    tags has the weight of the commonest class, 1.
    """
    counts = Counter(name for names in tags for name in names)
    if balance == "none" or len(set(counts.values())) < 2:
        return None
    most, power = max(counts.values()), _POWERS[balance]
    return [max(((most / counts[name]) ** power for name in names), default=1.0) for names in tags]


def draw(weights: Sequence[float], generator: torch.Generator) -> list[int]:
    """Return how often each image is drawn in a pass of as many draws as there are images, by systematic sampling.

    The mean over passes is proportional to the weight, and a single pass differs from it by less than one.
    """
    ends = torch.tensor(weights, dtype=torch.float64).cumsum(0)
    ends = ends / ends[-1] * len(weights)
    ends[-1] = len(weights)  # exactly, whatever the rounding
    points = torch.arange(len(weights), dtype=torch.float64) + torch.rand(1, generator=generator, dtype=torch.float64)
    return torch.bincount(torch.searchsorted(ends, points, right=True), minlength=len(weights)).tolist()


def describe(tags: Sequence[Sequence[str]], weights: Sequence[float]) -> str:
    """Return a sentence for the log: how often a pass draws an image of the rarest and of the commonest class."""
    counts = Counter(name for names in tags for name in names)
    rarest, commonest = (choose(sorted(counts), key=counts.__getitem__) for choose in (min, max))
    scale = len(weights) / sum(weights)
    per_image = {
        name: scale * sum(weight for names, weight in zip(tags, weights, strict=True) if name in names) / counts[name]
        for name in (rarest, commonest)
    }
    shown = (f"an image of {name} ({counts[name]}) {times:.1f} times" for name, times in per_image.items())
    return f"a pass draws {', '.join(shown)}"
