"""Pairwise affinities of large images: computed in tiles of rows whenever they are needed, and never kept whole.

An affinity of N positions has N x N numbers: 67 MB for N = 4,096, but 4.3 GB for N = 32,768, an image of 1,024 x 2,048
pixels at stride 8, and several are needed at once. In tiles, memory grows with N only; the products of queries and
keys are computed again for each use, in training also for the backward pass.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

DENSE_POSITIONS = 4096
"""N up to which affinities are kept whole, which is faster."""
TILE_NUMBERS = 2**22
"""Numbers of a tile, in all images of a batch: 17 MB in float32. Fusing two affinities needs some forty times that."""

Rows = Callable[[int, int], Tensor]
"""Maps first and last + 1 of some rows to these rows of an affinity, float (B, rows, N)."""


class TiledAffinity:
    """A pairwise affinity (B, N, N) that is computed by `rows` when it is needed."""

    def __init__(self, rows: Rows, batch: int, positions: int):
        self.rows = rows
        self.batch = batch
        self.positions = positions

    def bounds(self) -> Iterator[tuple[int, int]]:
        """Yield first and last + 1 row of each tile."""
        step = max(1, TILE_NUMBERS // (self.batch * self.positions))
        for start in range(0, self.positions, step):
            yield start, min(start + step, self.positions)

    def apply(self, maps: Tensor, *, transpose: bool) -> Tensor:
        """Return A P (or A^T P) of maps (B, C, h, w), as `auxseg.models.affinity.apply_affinity`."""
        flat = maps.flatten(2)
        if transpose:
            total = torch.zeros_like(flat)
            for start, stop in self.bounds():
                total = total + self._tile(self._share, start, stop, flat)
            return total.view_as(maps)
        parts = [self._tile(self._averaged, start, stop, flat) for start, stop in self.bounds()]
        return torch.cat(parts, dim=2).view_as(maps)

    def map_rows(self, function: Callable[[Tensor], Tensor]) -> Tensor:
        """Return what a function makes of each row, (B, N), from functions of tiles, (B, rows, N) -> (B, rows)."""
        return torch.cat([function(self.rows(start, stop)) for start, stop in self.bounds()], dim=1)

    def _tile(self, function: Callable[[int, int, Tensor], Tensor], start: int, stop: int, flat: Tensor) -> Tensor:
        if not torch.is_grad_enabled():
            return function(start, stop, flat)
        # otherwise every tile would be kept for the backward pass, which is the whole affinity
        result: Tensor = checkpoint(function, start, stop, flat, use_reentrant=False)
        return result

    def _averaged(self, start: int, stop: int, flat: Tensor) -> Tensor:
        return flat @ self.rows(start, stop).transpose(1, 2)

    def _share(self, start: int, stop: int, flat: Tensor) -> Tensor:
        return flat[:, :, start:stop] @ self.rows(start, stop)


def is_dense(positions: int) -> bool:
    """Return whether affinities of so many positions are kept whole; in an exported graph they always are."""
    return torch.compiler.is_compiling() or positions <= DENSE_POSITIONS
