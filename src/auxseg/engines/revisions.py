"""Read the labels of a round as a git revision recorded them, through DVC. The working tree is not changed."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.comparison.label_set import LabelSet
from auxseg.datasets.manifest import read_classes
from auxseg.engines.dvc_internals import DataIndexDirError, DvcException, revision_files
from auxseg.errors import DataError


def require_git(what: str) -> None:
    """Check that the project is a git repository; one from a ZIP archive is not, and runs without.

    Raises:
        DataError: it is not; `what` needs it.
    """
    if not Path(".git").exists():
        raise DataError(
            f"{what}: this project is not a git repository (from a ZIP archive?); run "
            "`git init && git add -A && git commit -m start` here, or clone it with git"
        )


@contextlib.contextmanager
def revision_labels(revision: str, round_name: str) -> Iterator[LabelSet]:
    """Yield the labels of a round at a git revision, copied from DVC's cache or its remote.

    Raises:
        DataError: git does not know the revision, it recorded no labels of the round, or no copy of them exists.
    """
    with tempfile.TemporaryDirectory(prefix="auxseg-") as folder:
        yield _copy(revision, round_name, Path(folder))


def _copy(revision: str, round_name: str, target: Path) -> LabelSet:
    require_git(f"revision {revision}")
    store = Store()
    labels = store.label_folder(Round.parse(round_name)).as_posix()
    try:
        with revision_files(revision) as tracked:
            found = sorted(tracked.find(labels)) if tracked.exists(labels) else []
            # without dvc.lock there are no hashes
            if not found or not all(tracked.info(path).get("md5") for path in found):
                raise DataError(
                    f"{revision}: recorded no labels of {round_name}; commit its dvc.lock (git add --force dvc.lock)"
                )
            for path in (store.classes.as_posix(), *found):
                tracked.get_file(path, str(target / Path(path).name))
    except (FileNotFoundError, DataIndexDirError):
        raise DataError(
            f"{revision}: its labels of {round_name} are neither in DVC's cache nor in its remote; "
            f"`dvc push` them from a project that has them"
        ) from None
    except DvcException as error:
        raise DataError(f"{revision}: {error}; name a commit, tag or branch of this project") from None
    classes = read_classes(target / "classes.csv")
    return LabelSet.of(classes.with_background, [target / Path(path).name for path in found])
