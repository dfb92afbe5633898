"""The origin of every artifact in the report: stage, file, parameters, weights, versions of packages.

Hashes of single artifacts are in the chunks, beside the artifacts. There are no times and host names, because the bytes
of the report depend only on inputs, parameters and code.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

from auxseg.artifacts.atomic import sha256_file
from auxseg.artifacts.tensors import TensorFile

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
_MAPS = "data/maps/<round>/<shard>.safetensors"

ORIGINS = (
    Origin("photo", "image", "prepare", "the data folder", ("data",)),
    Origin("prior", "saliency prior", "saliency", "data/saliency/<shard>.zip", ("saliency", "runtime")),
    Origin("mask", "mask", "prepare", "the data folder", ("data",)),
    Origin("weights", "network", "classify", "data/models/<round>.safetensors", ("backbone", "classify", "runtime"),
           later=False),
    Origin("weights", "network", "train", "data/models/<round>.safetensors",
           ("backbone", "network", "train", "runtime"), first=False),
    Origin("review", "verdicts applied in training", "review", "data/review/<before>.csv", ("review",), first=False),
    Origin("cam", "CAM", "cam", _MAPS, ("backbone", "cam", "runtime"), later=False, weights=True),
    Origin("cam", "refined CAM", "propagate", _MAPS, _NETWORK, first=False, weights=True),
    Origin("refined", "refined saliency", "propagate", _MAPS, _NETWORK, first=False, weights=True),
    Origin("entropy", "affinity entropy", "propagate", _MAPS, _NETWORK, first=False, weights=True),
    Origin("prediction", "model prediction", "propagate", _MAPS, _NETWORK, first=False, weights=True),
    Origin("confidence", "confidence", "propagate", _MAPS, _NETWORK, first=False, weights=True),
    Origin("saliency", "saliency label", "labels", "data/saliency_labels/<round>/<shard>.zip", ("labels",),
           first=False, split="train"),
    Origin("label", "pseudo label", "labels", "data/labels/<round>/<shard>.zip", ("labels",), split="train"),
    Origin("label", "final prediction", "evaluate", "data/predictions/<round>.zip",
           ("backbone", "network", "evaluate", "runtime"), first=False, split="val", weights=True),
)  # fmt: skip


def provenance(models: Path, reviews: Path, rounds: Sequence[str], params: dict[str, dict]) -> dict:
    """Return the data with which the page shows the origin of a picture.

    Args:
        models: folder of weights, one file per round.
        reviews: folder of the tables that say how training uses labels, one file per round.
        rounds: the rounds shown, in order from r0.
        params: section -> values, of all sections that `ORIGINS` names, and `train`.
    """
    return {
        "origins": [asdict(_of_these_parameters(origin, params)) for origin in ORIGINS],
        "params": params,
        "weights": {name: sha256_file(models / f"{name}.safetensors") for name in rounds},
        "lengths": {name: _length(models / f"{name}.safetensors") for name in rounds},
        "reviews": {later: sha256_file(reviews / f"{name}.csv") for name, later in pairwise(rounds)},
        "versions": {name: version(name) for name in PACKAGES},
    }


def _length(weights: Path) -> str:
    """Return the length of a network's training and its reason, as recorded by its stage; empty if not recorded."""
    return (TensorFile(weights).metadata or {}).get("length", "")


def _of_these_parameters(origin: Origin, params: dict[str, dict]) -> Origin:
    """Return the origin under these parameters: a CAM may come from another method, or include a share of r0's."""
    if origin.stage == "cam" and params["cam"]["provider"] != "classifier":
        return replace(origin, weights=False)
    share = params.get("propagate", {}).get("initial_share", 0)
    if origin.title == "refined CAM" and share:
        title = f"refined CAM, with a share of {share} of the CAM of r0"
        return replace(origin, title=title, sections=(*origin.sections, "cam"))
    return origin
