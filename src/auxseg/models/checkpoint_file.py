"""Checkpoints as trainings save them: tensors below a key, with options and counters beside them."""

import pickletools
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from auxseg.errors import DataError
from auxseg.files import open_file

WRAPPERS = ("state_dict", "model_state_dict", "model", "network", "net", "module", "teacher", "student")
"""Keys below which checkpoints have the tensors, in the order in which they are tried."""
PREFIXES = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before every name."""
_OBJECTS = ("argparse.Namespace", "easydict.EasyDict", "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.Path")
"""Classes of options that checkpoints have beside the tensors."""

MAX_REPEATED = 2**30
"""Most bytes that tensors which repeat their elements may have as copies: 458 bytes can stand for gigabytes."""

LONGEST_WORD = 10_000
"""Most characters of a word in a checkpoint. If torch rejects a file, it searches its own message for patterns whose
time grows with the square of a word's length: minutes for a hundred kilobytes."""
OLD_PICKLES = 5
"""Pickles at the start of a file that is no zip: a number, the version, the machine, the content, storages' keys."""


class _Unread:
    """Stands in for an object of options: it takes any content and does nothing with it."""

    def __init__(self, *_: Any):
        pass

    def __setstate__(self, state: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


def load_checkpoint(path: Path) -> Any:
    """Return the content of a torch file: tensors and plain values; objects of options are replaced by stand-ins.

    Raises:
        Exception: whatever torch raises for a file that is damaged or has other objects. None of its code runs.
    """
    _reject_packed(path)
    _reject_long_words(path)
    with torch.serialization.safe_globals([(_Unread, name) for name in _OBJECTS]):
        content = torch.load(path, weights_only=True, map_location="cpu")
    if _repeated(content) > MAX_REPEATED:
        raise DataError(f"{path}: its expanded tensors are far larger than the file; save `tensor.contiguous()`")
    return content


def _reject_packed(path: Path) -> None:
    """Reject a zip with compressed members: torch writes none, and a kilobyte of them can be a gigabyte."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(one.compress_type != zipfile.ZIP_STORED for one in archive.infolist()):
                raise DataError(f"{path}: a compressed zip, not as torch writes it; save the state_dict() again")


def _reject_long_words(path: Path) -> None:
    for words in _texts(path):
        if (longest := max(map(len, words.split()), default=0)) > LONGEST_WORD:
            raise DataError(f"{path}: a word of {longest} characters among its names; save the state_dict() alone")


def _texts(path: Path) -> Iterator[str]:
    """Yield every text and every name of a class in a file's pickles, up to where they are damaged."""

    def of(stream: IO[bytes]) -> Iterator[str]:
        yield from (argument for _, argument, _ in pickletools.genops(stream) if isinstance(argument, str))

    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    if name.endswith("data.pkl"):
                        yield from of(archive.open(name))
        else:
            with open_file(path) as stream:
                for _ in range(OLD_PICKLES):
                    yield from of(stream)
    except (ValueError, EOFError, zipfile.BadZipFile):
        return  # torch says what is wrong


def _repeated(content: Any, depth: int = 0) -> int:
    """Return the bytes that a copy of all expanded tensors in dictionaries would have."""
    if isinstance(content, Mapping) and depth < 5:
        return sum(_repeated(value, depth + 1) for value in content.values())
    if isinstance(content, Tensor) and content.layout == torch.strided and not content.is_meta:
        size = content.numel() * content.element_size()
        return size if size > content.untyped_storage().nbytes() else 0
    return 0


def unwrapped(content: Any) -> Any:
    """Return the tensors of a checkpoint by name, without the prefix of a parallel network.

    Content without tensors below one of WRAPPERS is returned as it is.
    """
    for _ in range(3):  # `{"state_dict": {"model": …}}` exists
        if not isinstance(content, Mapping) or _is_state(content):
            break
        content = next((content[key] for key in WRAPPERS if isinstance(content.get(key), Mapping)), content)
    if not _is_state(content):
        return content
    while prefix := next((one for one in PREFIXES if all(name.startswith(one) for name in content)), ""):
        content = {name.removeprefix(prefix): value for name, value in content.items()}
    return content


def _is_state(content: Any) -> bool:
    return (
        isinstance(content, Mapping)
        and bool(content)
        and all(isinstance(name, str) and isinstance(one, Tensor) for name, one in content.items())
    )


def reject_other_files(path: Path) -> None:
    """Reject what is downloaded in the place of weights.

    Raises:
        DataError: there is no file, or it is an HTML page or a pointer of Git LFS.
    """
    try:
        with open_file(path) as stream:
            start = stream.read(1024).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; give the downloaded weights") from None
    if start.startswith((b"<!doctype html", b"<html")):
        raise DataError(
            f"{path}: an HTML page, not weights; the address leads to a page (a login, or a warning of a file host): "
            "download the file itself in a browser"
        )
    if start.startswith(b"version https://git-lfs"):
        raise DataError(f"{path}: a pointer of Git LFS, not weights; run `git lfs pull`, or download the file itself")
