"""Affinities: within a task (docs/method.md section 1.4) and across the two tasks (section 1.6).

An affinity is (B, N, N) over the N = h w positions in raster order; row i is the query position. That of a large image
is a `TiledAffinity`, which stands for the same numbers (`auxseg.models.tiles`).
"""

from typing import overload

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auxseg.models.tiles import TiledAffinity, is_dense
from auxseg.params.network import CrossTaskParams, NetworkParams

Affinity = Tensor | TiledAffinity
"""A pairwise affinity, (B, N, N)."""


def pairwise_affinity(query: Tensor, key: Tensor, *, whiten: bool, temperature: float) -> Affinity:
    """Return softmax_row(Q K^T / temperature), (B, N, N), of queries and keys (B, N, D).

    `whiten` subtracts the mean over positions from both, as in the disentangled non-local block.
    """
    if whiten:
        query = query - query.mean(dim=1, keepdim=True)
        key = key - key.mean(dim=1, keepdim=True)
    if is_dense(query.shape[1]):
        return torch.softmax(query @ key.transpose(1, 2) / temperature, dim=2)

    def rows(start: int, stop: int) -> Tensor:
        logits = query[:, start:stop] @ key.transpose(1, 2) / temperature
        # autocast may have ended by now, which keeps the softmax in float32
        return torch.softmax(logits, dim=2, dtype=torch.float32 if logits.dtype == torch.bfloat16 else logits.dtype)

    return TiledAffinity(rows, *query.shape[:2])


def apply_affinity(affinity: Affinity, maps: Tensor, *, transpose: bool = False) -> Tensor:
    """Return A P (or A^T P): maps (B, C, h, w) averaged over positions by an affinity (B, N, N)."""
    if isinstance(affinity, TiledAffinity):
        return affinity.apply(maps, transpose=transpose)
    if transpose:
        affinity = affinity.transpose(1, 2)
    return (maps.flatten(2) @ affinity.transpose(1, 2)).view_as(maps)


def pool(unary: Tensor, maps: Tensor) -> Tensor:
    """Return 1 a P as (B, C, 1, 1): maps (B, C, h, w) averaged by one row (B, 1, N), the same for every query."""
    return (maps.flatten(2) @ unary.transpose(1, 2))[..., None]


class TaskAffinity(nn.Module):
    """Feature refinement by a task's own affinity.

    auxsegnet:       F' = F + (A (F W_v)) W_z,               A = softmax_row(Q K^T)
    auxsegnet_plus:  F' = F + ((A^p + 1 a^u) F W_v) W_z,     a^u = softmax over positions of F W_u
                     (`features_with` leaves one of the two maps out)
    """

    def __init__(self, params: NetworkParams):
        super().__init__()
        channels = params.channels
        plus = params.variant == "auxsegnet_plus"
        self.features_with = params.features_with if plus else "pairwise"
        self.whiten = plus and params.whiten
        self.temperature = (params.tau if plus else 1.0) * (channels**0.5 if params.scale_dim else 1.0)
        self.query = nn.Conv2d(channels, channels, 1)
        self.key = nn.Conv2d(channels, channels, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        self.unary = nn.Conv2d(channels, 1, 1) if plus else None

    def forward(self, features: Tensor) -> tuple[Tensor, Affinity, Tensor | None]:
        """Return refined features (B, D, h, w), A^p (B, N, N) and a^u (B, 1, N) or None."""
        pairwise = pairwise_affinity(
            _rows(self.query(features)),
            _rows(self.key(features)),
            whiten=self.whiten,
            temperature=self.temperature,
        )
        value = self.value(features)
        unary = None if self.unary is None else torch.softmax(self.unary(features).flatten(2), dim=2)
        mixed = torch.zeros_like(value) if self.features_with == "unary" else apply_affinity(pairwise, value)
        if unary is not None and self.features_with != "pairwise":
            mixed = mixed + pool(unary, value)
        return features + self.out(mixed), pairwise, unary


class CrossTaskFusion(nn.Module):
    """Entry-wise weighted sum of the two tasks' affinities, order (segmentation, saliency).

    Weights: convolution 2 -> 2 (no bias), ReLU, 1x1 convolution 2 -> 2, softmax over the tasks. A 3x3 kernel treats the
    map as an image, as the released code does: raster neighbours leak across the ends of image rows, and the result is
    not equivariant to the order of positions. A 1x1 kernel is exact.
    """

    def __init__(self, params: CrossTaskParams):
        super().__init__()
        self.renormalise = params.renormalise
        self.scale_by_positions = params.scale == "positions"
        self.mix = nn.Conv2d(2, 2, params.kernel, padding=params.kernel // 2, bias=False)
        self.weigh = nn.Conv2d(2, 2, 1)

    @overload
    def forward(self, segmentation: Tensor, saliency: Tensor) -> Tensor: ...
    @overload
    def forward(self, segmentation: Affinity, saliency: Affinity) -> Affinity: ...
    def forward(self, segmentation: Affinity, saliency: Affinity) -> Affinity:
        """Fuse two maps (B, M, N) into one of that shape; M = N for pairwise affinities, M = 1 for unary rows."""
        if isinstance(segmentation, Tensor) and isinstance(saliency, Tensor):
            return self._fused(segmentation, saliency)
        if isinstance(segmentation, Tensor) or isinstance(saliency, Tensor):
            raise TypeError("one affinity is whole and the other is not")
        positions, reach = segmentation.positions, self.mix.kernel_size[0] // 2

        def rows(start: int, stop: int) -> Tensor:
            # with the neighbours that the kernel reads; beyond the ends of the map it reads zeros in either case
            first, last = max(0, start - reach), min(positions, stop + reach)
            fused = self._fused(segmentation.rows(first, last), saliency.rows(first, last))
            return fused[:, start - first : stop - first]

        return TiledAffinity(rows, segmentation.batch, positions)

    def _fused(self, segmentation: Tensor, saliency: Tensor) -> Tensor:
        stacked = torch.stack([segmentation, saliency], dim=1)
        seen = stacked * stacked.shape[-1] if self.scale_by_positions else stacked
        weights = torch.softmax(self.weigh(F.relu(self.mix(seen))), dim=1)
        fused = (weights * stacked).sum(dim=1)
        if self.renormalise:
            fused = fused / fused.sum(dim=2, keepdim=True)
        return fused


def _rows(features: Tensor) -> Tensor:
    """(B, D, h, w) -> (B, N, D)."""
    return features.flatten(2).transpose(1, 2)
