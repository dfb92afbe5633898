"""Ask DVC which stage instances changed and which files its cache has."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from auxseg.engines.dvc_internals import PipelineStage, is_file_cached, is_params, open_repo
from auxseg.engines.receipts import digest
from auxseg.errors import DataError


def is_changed(stage: PipelineStage, params: dict[str, Any], fingerprints: dict[str, str]) -> bool:
    """Tell whether DVC considers an instance changed.

    Args:
        stage: the instance.
        params: params.yaml as DVC reads it. `stage.status()` would read the file once per instance, which takes longer
            than all other checks together.
        fingerprints: path -> MD5 of files that are about to be written; they count as written.
    """
    if stage.changed_stage() or stage.is_callback or stage.always_changed:
        return True
    if any(output.status() for output in stage.outs):
        return True
    return not stage.frozen and any(is_changed_input(item, params, fingerprints) for item in stage.deps)


def is_changed_input(dependency: Any, params: dict[str, Any], fingerprints: Mapping[str, str]) -> bool:
    """Tell whether an input of an instance differs from what dvc.lock records; arguments as in `is_changed`."""
    recorded = dependency.hash_info.value
    if is_params(dependency):
        return bool(recorded != {name: params[name] for name in dependency.params if name in params})
    if dependency.def_path in fingerprints:
        return bool(recorded != fingerprints[dependency.def_path])
    return bool(dependency.status())


def check_cached(files: list[Path]) -> None:
    """Reject files that are not in DVC's cache, because they could not be restored after a removal.

    Raises:
        DataError: one line that names the first such file.
    """
    with open_repo() as repo:
        for file in files:
            if not is_file_cached(repo, digest(file)):
                raise DataError(
                    f"{file}: would be removed, but no finished run has put it into DVC's cache, so it could not be "
                    "restored; finish the run (`auxseg run`, or `auxseg record` after Snakemake), or delete the file"
                )
