"""The MD5 of a file, as DVC records it; a module of its own, because DVC is slow to import in worker processes."""

import hashlib
from pathlib import Path


def file_md5(path: Path) -> str:
    """Return the MD5 of a file.

    Raises:
        FileNotFoundError: the file does not exist.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()
