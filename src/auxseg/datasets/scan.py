"""The content of the raw folder as two numbers: the input of `prepare` that DVC tracks.

To track the raw folder itself, DVC would have to copy or hash all of it every time. `auxseg scan` hashes it once and
writes data/raw.yaml. A new, changed or removed file changes data/raw.yaml, and `dvc repro` runs `prepare` again. The
content of other paths in params.yaml (saliency maps, CAMs) is hashed into the key `sha256` beside the path.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from auxseg.artifacts.atomic import sha256_file, signature, write_json, write_text
from auxseg.errors import DataError
from auxseg.files import is_clutter, read_text
from auxseg.parallel import available_cpus, track
from auxseg.params.watched import Watched, require_scanned
from auxseg.params.yaml_file import read_yaml

_SCANNED = Path(".auxseg/scanned.json")
"""Folders that `auxseg scan` has hashed on this machine: path -> signature and hash. Not an artifact."""

HEADER = (
    "# What the raw folder contained at the last `auxseg scan`. An input of `prepare`, so that `dvc repro` sees new\n"
    "# and changed images. Commit it with your data set. The embedded scenes need no scan.\n"
)


def scan(root: Path) -> dict[str, int | str]:
    """Return the number of files under `root` and a SHA-256 over their sorted relative paths and contents.

    What systems write into folders (`.DS_Store`, `Thumbs.db`) is left out; links to folders are followed. The result,
    such as {"files": 3, "sha256": "…"}, is the same on every machine.

    Raises:
        DataError: the folder is missing or a file in it cannot be read.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; give the folder that contains the data set")
    paths = sorted(raw_files(root), key=lambda path: path.relative_to(root).as_posix())
    digest = hashlib.sha256()
    # threads: hashing and reading both release the interpreter's lock
    with ThreadPoolExecutor(max(4, available_cpus())) as pool:
        for path, content in zip(paths, track(pool.map(_hash, paths), "scan", len(paths), "file"), strict=True):
            digest.update(f"{path.relative_to(root).as_posix()}\0{content}\n".encode(errors="surrogateescape"))
    return {"files": len(paths), "sha256": digest.hexdigest()}


def content_sha256(path: Path, key: str, base: str) -> str:
    """Return the SHA-256 of a file, or of a folder's relative paths and contents as in `scan`.

    Raises:
        DataError: the path does not exist; `key` is the parameter that names it, relative to `base`.
    """
    if path.is_file():
        return sha256_file(path)
    if not path.is_dir():
        raise DataError(f"{path}: no such file or folder; correct {key} (relative to {base}) or add it")
    return str(scan(path)["sha256"])


def check_content(section: Watched, base: Path) -> None:
    """Check, before a path of params.yaml is read, that it has the content that `auxseg scan` saw.

    A folder is not hashed again if no file in it has changed since `auxseg scan` on this machine, as its size, time and
    inode tell: each shard of a stage would otherwise hash the maps of all shards.

    Args:
        section: the section with the path and its hash.
        base: folder that a relative path refers to.

    Raises:
        ParamsError: the path was never scanned.
        DataError: its content is another one.
    """
    require_scanned(section)
    path = base / (section.watched() or "")
    if section.watched() is None or not path.exists():
        return  # the reader says what is missing
    found = _remembered(path) or content_sha256(path, f"{section.key}.{section.path_key}", str(base))
    if found != section.sha256:
        raise DataError(
            f"{path}: its content has SHA-256 {found}, but params.yaml says {section.key}.sha256: {section.sha256}; "
            "put the scanned file back, or run `auxseg scan` to use this one"
        )


def check_raw(root: Path, raw: Path) -> None:
    """Check, before a data root is read, that it has the content that data/raw.yaml says, by which DVC knows it.

    Args:
        root: the data root; it is hashed again only if a file changed since `auxseg scan` on this machine.
        raw: data/raw.yaml.

    Raises:
        DataError: the root was never scanned, or contains something else now.
    """
    expected = read_yaml(raw).get("sha256") if raw.is_file() else None
    if expected in (None, "none"):
        raise DataError(f"{raw}: {root} was not scanned, so changes of it would not be noticed; run `auxseg scan`")
    found = _remembered(root)
    if found is None:
        found = str(scan(root)["sha256"])
        remember(root, found)
    if found != expected:
        raise DataError(f"{root}: not the content that {raw} says (SHA-256 {found}); run `auxseg scan`")


def remember(path: Path, content: str) -> None:
    """Note the hash of a folder's content, for `check_content`."""
    if path.is_dir():
        write_json(_SCANNED, {**_notes(), str(path.resolve()): [_signature(path), content]})


def _remembered(path: Path) -> str | None:
    noted, content = _notes().get(str(path.resolve()), (None, None))
    return content if path.is_dir() and noted == _signature(path) else None


def _notes() -> dict[str, tuple[str, str]]:
    try:
        return dict(json.loads(_SCANNED.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return {}  # without notes, folders are hashed


def _signature(folder: Path) -> str:
    return hashlib.sha256(repr(signature(map(str, raw_files(folder)))).encode()).hexdigest()


def write_raw(path: Path, found: dict[str, int | str]) -> bool:
    """Write data/raw.yaml if its content changes; return whether it did."""
    text = HEADER + f"files: {found['files']}\nsha256: {found['sha256']}\n"
    if path.is_file() and read_text(path) == text:
        return False
    write_text(path, text)
    return True


def raw_files(folder: Path, above: frozenset[str] = frozenset()) -> Iterator[Path]:
    """Yield the files under a folder, without hidden ones and clutter; links to folders are followed.

    Raises:
        DataError: a folder cannot be read.
    """
    real = os.path.realpath(folder)
    if real in above:  # a link to a folder above it; two links to the same folder are both followed
        return
    try:
        with os.scandir(folder) as entries:
            shown = [entry for entry in entries if not is_clutter(entry.name)]
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror}); fix its permissions") from None
    for entry in shown:
        # a link to itself is no folder; asking the entry raises an error
        if os.path.isdir(entry) if entry.is_symlink() else entry.is_dir():  # noqa: PTH112
            yield from raw_files(Path(entry.path), above | {real})
        else:
            yield Path(entry.path)


def _hash(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); fix its link or its permissions") from None
