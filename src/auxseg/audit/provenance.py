"""The origin of every artifact in the report: stage, file, parameters, weights, versions of packages.

Hashes of single artifacts are in the chunks, beside the artifacts. There are no times and host names, because the bytes
of the report depend only on inputs, parameters and code.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

from auxseg.artifacts.atomic import sha256_file
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tensors import TensorFile
from auxseg.params import registry
from auxseg.params.audit import AuditParams
from auxseg.params.pipeline import PipelineParams

SECTIONS = tuple(section for section in registry.SECTIONS if section not in (AuditParams, PipelineParams))
"""Every section that shaped what the report shows."""
PACKAGES = ("numpy", "opencv-python-headless", "pillow", "pydensecrf2", "safetensors", "timm", "torch", "torchvision")
"""The packages that compute pixels, pinned by requirements.lock."""


@dataclass(frozen=True)
class Origin:
    """How one artifact was made. `file` contains `<round>`, `<before>` (the round before it) and `<shard>`; `weights`
    says whether the round's network made it."""

    artifact: str
    title: str
    stage: str
    file: str
    sections: tuple[str, ...]
    first: bool = True
    """Whether this stage makes it in r0."""
    later: bool = True
    """Whether this stage makes it in later rounds."""
    split: str = ""
    weights: bool = False


_NETWORK = ("backbone", "network", "propagate", "runtime")


@dataclass(frozen=True)
class PlaceholderRound(Round):
    """A round with another name, which the store writes into its paths."""

    name: str

    def __str__(self) -> str:
        return self.name


_STORE, _SHARD = Store(), "<shard>"
_BEFORE, _ROUND = PlaceholderRound(0, "<before>"), PlaceholderRound(1, "<round>")
_MAPS = _STORE.maps(_ROUND, _SHARD).as_posix()
_WEIGHTS = _STORE.weights(_ROUND).as_posix()

ORIGINS = (
    Origin("photo", "image", "prepare", "the data folder", ("data",)),
    Origin("prior", "saliency prior", "saliency", _STORE.saliency(_SHARD).as_posix(), ("saliency", "runtime")),
    Origin("mask", "mask", "prepare", "the data folder", ("data",)),
    Origin("weights", "network", "classify", _WEIGHTS, ("backbone", "classify", "runtime"), later=False),
    Origin("weights", "network", "train", _WEIGHTS, ("backbone", "network", "train", "runtime"), first=False),
    Origin(
        "review",
        "verdicts applied in training",
        "review",
        _STORE.uses(_BEFORE).as_posix(),
        ("review",),
        first=False,
    ),
    Origin("cam", "CAM", "cam", _MAPS, ("backbone", "cam", "runtime"), later=False, weights=True),
    Origin("cam", "refined CAM", "propagate", _MAPS, _NETWORK, first=False, weights=True),
    Origin("refined", "refined saliency", "propagate", _MAPS, _NETWORK, first=False, weights=True),
    Origin("entropy", "affinity entropy", "propagate", _MAPS, _NETWORK, first=False, weights=True),
    Origin("prediction", "model prediction", "propagate", _MAPS, _NETWORK, first=False, weights=True),
    Origin("confidence", "confidence", "propagate", _MAPS, _NETWORK, first=False, weights=True),
    Origin(
        "saliency",
        "saliency label",
        "labels",
        _STORE.saliency_labels(_ROUND, _SHARD).as_posix(),
        ("labels",),
        first=False,
        split="train",
    ),
    Origin("label", "pseudo label", "labels", _STORE.labels(_ROUND, _SHARD).as_posix(), ("labels",), split="train"),
    Origin("corrected", "corrected label", "review", _STORE.corrected(_ROUND).as_posix(), ("review",), split="train"),
    Origin(
        "label",
        "final prediction",
        "evaluate",
        _STORE.predictions(_ROUND).as_posix(),
        ("backbone", "network", "evaluate", "runtime"),
        first=False,
        split="val",
        weights=True,
    ),
)


def provenance(store: Store, rounds: Sequence[Round], params: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the data with which the page shows the origin of a picture.

    Args:
        store: has the weights, and the tables that say how training uses labels.
        rounds: the rounds shown, in order from r0.
        params: section -> values, of all sections that `ORIGINS` names, and `train`.
    """
    return {
        "origins": [asdict(_of_these_parameters(origin, params)) for origin in ORIGINS],
        "params": params,
        "weights": {str(one): sha256_file(store.weights(one)) for one in rounds},
        "lengths": {str(one): _length(store.weights(one)) for one in rounds},
        "reviews": {str(later): sha256_file(store.uses(one)) for one, later in pairwise(rounds)},
        "versions": {name: version(name) for name in PACKAGES},
    }


def _length(weights: Path) -> str:
    """Return the length of a network's training, its reason and packages, as recorded by its stage; "" if not."""
    notes = TensorFile(weights).metadata or {}
    packages = ", ".join(f"{name} {number}" for name, number in notes.get("versions", {}).items())
    return f"{notes.get('length', '')}{f'; with {packages}' if packages else ''}"


def _of_these_parameters(origin: Origin, params: dict[str, dict[str, Any]]) -> Origin:
    """Return the origin under these parameters: a CAM may come from another method, or include a share of r0's."""
    if origin.stage == "cam" and params["cam"]["provider"] != "classifier":
        return replace(origin, weights=False)
    propagate = params.get("propagate", {})
    shares = {"the prediction": propagate.get("prediction_share", 0)}
    if origin.title == "refined CAM":
        shares = {"the CAM of r0": propagate.get("initial_share", 0), **shares}
    elif origin.title != "refined saliency":
        return origin
    mixed = [f"a share of {share} of {what}" for what, share in shares.items() if share]
    sections = (*origin.sections, "cam") if shares.get("the CAM of r0") else origin.sections
    return replace(origin, title=", with ".join((origin.title, *mixed)), sections=sections)
