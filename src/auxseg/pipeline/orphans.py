"""Find and remove outputs of rounds and shards that are no longer in params.yaml.

DVC leaves them in the folders that later stages read. They can be removed because they are in DVC's cache: `dvc
checkout` or `dvc repro` restores them if the round or shard is added again.
"""

import re
from pathlib import Path
from typing import Any

from auxseg.counts import and_more
from auxseg.errors import DataError
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


def reject_orphans(values: dict[str, Any]) -> None:
    """Check that there are no orphans, because stages that read whole folders would read them.

    Raises:
        DataError: names the first.
    """
    if orphans := find_orphans(values):
        rounds, shards = len(values["rounds"]), len(values["shards"])
        raise DataError(
            f"{orphans[0]}: belongs to no round and shard of params.yaml{and_more(len(orphans))}, but would be read; "
            f"`auxseg rounds {rounds}` or `auxseg shards {shards}` removes it"
        )


def remove_orphans(orphans: list[Path]) -> None:
    """Remove files, and folders that become empty."""
    for file in orphans:
        file.unlink()
        for folder in file.parents:
            if folder in (Path(), Path("data")) or any(folder.iterdir()):
                break
            folder.rmdir()
