"""Off-the-shelf saliency priors: one file per provider, chosen by `saliency.provider`.

A provider takes a manifest record and its image, RGB uint8 (H, W, 3), and returns the prior S, float32 (H, W) in
[0, 1]. It uses no class, label or mask. To add a provider, add a file here, a line in PROVIDERS and a name in
`SaliencyParams`.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from auxseg.datasets.manifest import ImageRecord
from auxseg.datasets.photos import read_photo
from auxseg.datasets.scan import check_content
from auxseg.encoded import encode_grey
from auxseg.errors import shorten
from auxseg.parallel import map_processes, track
from auxseg.params.saliency import SaliencyParams

NAMED = 5
"""Images that a warning names."""


class Provider(Protocol):
    """A saliency prior. Its result depends only on the record and the image."""

    in_processes: bool
    """True: picklable and single-threaded, so worker processes pay off. False: it uses threads of its own."""

    def __call__(self, record: ImageRecord, rgb: np.ndarray) -> np.ndarray:
        """Return S, float32 (H, W) in [0, 1], of an image, RGB uint8 (H, W, 3)."""
        ...


# Each builder imports its own library, so that a stage does not wait for the libraries of other providers.
def _precomputed(params: SaliencyParams, root: Path, threads: int) -> Provider:
    from auxseg.saliency.precomputed import Precomputed

    return Precomputed(root / (params.path or ""), params.channel)  # an absolute path stays as it is


def _network(params: SaliencyParams, root: Path, threads: int) -> Provider:
    from auxseg.saliency.onnx_network import Handling, OnnxNetwork
    from auxseg.saliency.weights import find_weights

    path = None if params.path is None else root / params.path
    return OnnxNetwork(find_weights(params.provider, path), threads, Handling.of(params))


def _boundary(params: SaliencyParams, root: Path, threads: int) -> Provider:
    from auxseg.saliency.boundary import Boundary

    return Boundary(params.superpixels)


PROVIDERS: dict[str, Callable[[SaliencyParams, Path, int], Provider]] = {
    "precomputed": _precomputed,
    "u2netp": _network,
    "onnx": _network,
    "boundary": _boundary,
}


def build_provider(params: SaliencyParams, root: Path, threads: int = 1) -> Provider:
    """Build the provider that `params.provider` names.

    Args:
        params: the `saliency` section.
        root: folder that a relative `saliency.path` refers to.
        threads: CPU threads of a network (`runtime.threads`).

    Raises:
        ParamsError: `saliency.path` has not been scanned yet.
        DataError: the folder or the weights are missing, damaged, not those that were scanned, or cannot be downloaded.
    """
    check_content(params, Path(root))
    return PROVIDERS[params.provider](params, Path(root), threads)


@dataclass(frozen=True)
class _Job:
    """The work for one record; picklable if its provider is."""

    provider: Provider
    root: Path

    def __call__(self, record: ImageRecord) -> tuple[bytes, bool]:
        """Return the map as a PNG, and whether it has one value everywhere."""
        prior = self.provider(record, read_photo(self.root, record))
        return encode_grey(prior), bool((prior == prior.flat[0]).all())


def compute_priors(provider: Provider, root: Path, records: Iterable[ImageRecord]) -> dict[str, bytes]:
    """Return the priors of some images as 8-bit grey PNGs: `<id>.png` -> content.

    The content for one image depends neither on the other images nor on the number of workers. A warning counts the
    maps that have one value everywhere.

    Args:
        provider: what `build_provider` returned.
        root: folder that the records' paths are relative to.
        records: rows of the manifest.

    Raises:
        DataError: an image or a precomputed map is missing or does not match the manifest.
    """
    records, job = list(records), _Job(provider, Path(root))
    if provider.in_processes:
        contents = map_processes(job, records, "saliency")
    else:
        contents = [job(record) for record in track(records, "saliency")]
    flat = [record.id for record, (_, is_flat) in zip(records, contents, strict=True) if is_flat]
    if flat:
        logging.warning(
            "%d of %d saliency maps have one value everywhere, so they tell no object from the background: %s; look at "
            "these images, or try another saliency.provider",
            len(flat),
            len(records),
            shorten(flat, NAMED),
        )
    return {f"{record.id}.png": content for record, (content, _) in zip(records, contents, strict=True)}
