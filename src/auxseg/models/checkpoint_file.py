"""Checkpoints as trainings save them: tensors below a key, with options and counters beside them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from auxseg.errors import DataError

WRAPPERS = ("state_dict", "model_state_dict", "model", "network", "net", "module", "teacher", "student")
"""Keys below which checkpoints have the tensors, in the order in which they are tried."""
PREFIXES = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before every name."""
_OBJECTS = ("argparse.Namespace", "easydict.EasyDict", "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.Path")
"""Classes of options that checkpoints have beside the tensors."""


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
    with torch.serialization.safe_globals([(_Unread, name) for name in _OBJECTS]):
        return torch.load(path, weights_only=True, map_location="cpu")


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
        DataError: the file is an HTML page or a pointer of Git LFS.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(1024).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    except OSError:
        return  # the reader says it better
    if start.startswith((b"<!doctype html", b"<html")):
        raise DataError(
            f"{path}: an HTML page, not weights; the address leads to a page (a login, or a warning of a file host): "
            "download the file itself in a browser"
        )
    if start.startswith(b"version https://git-lfs"):
        raise DataError(f"{path}: a pointer of Git LFS, not weights; run `git lfs pull`, or download the file itself")
