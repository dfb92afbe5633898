"""The data root of a manifest. The embedded scenes are generated wherever they are missing.

Scenes are deterministic, so a stage on another machine (after `dvc pull`, for example) generates its own copy.
"""

import fcntl
import hashlib
import importlib
import importlib.util
from pathlib import Path
from typing import Any, Literal

from auxseg.artifacts.atomic import atomic_dir, write_json
from auxseg.artifacts.damage import read_whole
from auxseg.errors import DataError
from auxseg.files import read_json
from auxseg.params.data import ScenesParams
from auxseg.params.local import SCENES_ROOT, data_root

GENERATOR = "auxseg.datasets.scenes"
_STAMP = "made_with.json"


def photos_root(dataset_file: Path) -> Path:
    """Return the folder that the paths of a manifest are relative to; `dataset_file` is its dataset.json.

    Raises:
        DataError: dataset.json is missing or damaged.
        ParamsError: the data root of this machine is not set.
    """
    dataset = read_dataset(dataset_file)
    if dataset["format"] == "scenes":
        with read_whole(dataset_file):
            params = ScenesParams.model_validate(dataset["scenes"])
        return ensure_scenes(params)
    return data_root(dataset["format"])


def read_dataset(dataset_file: Path) -> dict[str, Any]:
    """Read dataset.json: `format`, `unlisted` and `scenes` (parameters or None)."""
    try:
        values: dict[str, Any] = read_json(dataset_file)
        if not isinstance(values, dict) or {"format", "unlisted"} - values.keys():
            raise ValueError("`format` or `unlisted` is missing")
        return values
    except (OSError, ValueError, DataError) as error:
        raise DataError(f"{dataset_file}: not readable ({error}); run the stage prepare again") from None


def mask_policy(dataset_file: Path) -> Literal["error", "ignore", "background"]:
    """Return how `auxseg.datasets.masks.read_mask` treats a value outside the class table."""
    unlisted: Literal["error", "ignore", "background"] = read_dataset(dataset_file)["unlisted"]
    return unlisted


def ensure_scenes(params: ScenesParams, root: Path = SCENES_ROOT) -> Path:
    """Return the folder of the embedded scenes; generate them if they are missing or were made with other values."""
    wanted = {"params": params.model_dump(), "generator": _generator_hash()}
    if _stamp(root) != wanted:
        root.parent.mkdir(parents=True, exist_ok=True)
        # stages may start at the same time: one generates, the others wait
        with (root.parent / ".tmp-scenes.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _stamp(root) != wanted:
                with atomic_dir(root) as temporary:
                    # Imported by name, so that the generator does not count as code of every later stage: a change
                    # of it re-runs `prepare`, and the hashes in the manifest pass it on.
                    importlib.import_module(GENERATOR).write_scenes(temporary, params)
                    write_json(temporary / _STAMP, wanted)
    return root


def _stamp(root: Path) -> dict[str, Any] | None:
    try:
        values: dict[str, Any] = read_json(root / _STAMP)
        return values
    except (OSError, DataError):
        return None


def _generator_hash() -> str:
    """Return a hash of the generator's source, so that scenes of an older version are generated again."""
    spec = importlib.util.find_spec(GENERATOR)
    assert spec is not None and spec.origin is not None  # a package of auxseg itself
    source = Path(spec.origin)
    files = source.parent.rglob("*.py") if source.name == "__init__.py" else source.parent.glob(f"{source.stem}*.py")
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()
