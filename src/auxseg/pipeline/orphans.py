"""Find and remove outputs of rounds and shards that are no longer in params.yaml.

DVC leaves them in the folders that later stages read. They can be removed because they are in DVC's cache: `dvc
checkout` or `dvc repro` restores them if the round or shard is added again.
"""

import re
from pathlib import Path
from typing import Any

from auxseg.pipeline.declaration import fill, read_stages
from auxseg.pipeline.instances import outputs


def find_orphans(values: dict[str, Any]) -> list[Path]:
    """Return files that match a templated output of dvc.yaml but belong to no instance under `values`."""
    expected = outputs(values)
    templated = {out for body in read_stages().values() for out in fill(body, {}).outputs if "${" in out}
    patterns = {re.sub(r"\$\{[^}]*\}", "*", output) for output in templated}
    found = {file for pattern in patterns for file in Path().glob(pattern)}
    # the weights of r0 match a templated output, but `classify`, which writes them, has no template
    return sorted(file for file in found if file.as_posix() not in expected and not file.name.startswith("."))


def remove_orphans(orphans: list[Path]) -> None:
    """Remove files, and folders that become empty."""
    for file in orphans:
        file.unlink()
        for folder in file.parents:
            if folder in (Path(), Path("data")) or any(folder.iterdir()):
                break
            folder.rmdir()
