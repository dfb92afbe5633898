"""Many small images in one file: a zip whose bytes depend only on its members.

Members are stored without compression (PNGs are compressed already), sorted by name, with one fixed date. One file per
image would be far slower for DVC and for every file system than one archive per shard.
"""

import errno
import zipfile
from collections.abc import Mapping
from pathlib import Path

from auxseg.artifacts.atomic import atomic_path
from auxseg.artifacts.once import Members, opened_once
from auxseg.errors import DataError, ResourceError, first_line
from auxseg.files import require_file

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold


def write_archive(path: Path, members: Mapping[str, bytes]) -> None:
    """Write `members` (name -> content) as a deterministic zip, atomically."""
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = 0o644 << 16
            info.create_system = 3  # Unix on every host, so that the bytes agree
            archive.writestr(info, members[name])


class Archive(Members[bytes]):
    """A zip opened for reading, as a mapping from member name to content.

    It can be pickled; the other process opens the file again.
    """

    def __init__(self, path: Path):
        self.path = Path(path)
        self._open()

    def _open(self) -> None:
        try:
            require_file(self.path)
            self._zip = zipfile.ZipFile(self.path)
        except DataError:
            raise
        except Exception as error:  # zipfile's errors for a damaged directory have no common base
            if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
                raise ResourceError(f"{self.path}: too many open files; raise `ulimit -n`") from None
            missing = isinstance(error, FileNotFoundError)
            what = "no such file" if missing else f"not a readable zip archive ({first_line(error)})"
            raise DataError(f"{self.path}: {what}; run the stage that writes it again") from None
        self._names = {name: None for name in self._zip.namelist()}

    def __getstate__(self) -> dict[str, Path]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Path]) -> None:
        self.path = state["path"]
        self._open()

    def __getitem__(self, name: str) -> bytes:
        if name not in self._names:
            raise DataError(f"{self.path}: does not contain '{name}'; run the stage that writes it again")
        try:
            return self._zip.read(name)
        except Exception as error:  # as above; also for a member that is encrypted, or compressed in another way
            reason = first_line(error)
            raise DataError(
                f"{self.path}: '{name}' is damaged ({reason}); run the stage that writes it again"
            ) from None


opened_archive = opened_once(Archive)
"""Opening reads the directory of the whole shard, so a stage that reads image after image opens each archive once."""
