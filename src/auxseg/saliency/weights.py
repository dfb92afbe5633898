"""The source of U2-Net-p's weights: a given file, the installed package, or one checksummed download."""

import hashlib
import importlib.util
import logging
import os
import urllib.error
import urllib.request
from pathlib import Path

from auxseg.artifacts.atomic import atomic_path, sha256_file
from auxseg.errors import DataError

URL = "https://github.com/danielgatis/rembg/releases/download/v0.0.0/u2netp.onnx"
SHA256 = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
"""SHA-256 of the published file, whose MD5 is 8e83ca70e441ab06c318d82300c84806."""

PACKAGE, FILE = "rembg", "u2netp.onnx"

_TIMEOUT = 30  # seconds without a byte
_CHUNK = 1 << 20

log = logging.getLogger(__name__)


def find_weights(path: Path | None = None) -> Path:
    """Return the .onnx file: `path` if given, else the installed package's, else a download in the user's cache.

    A file that the user names may differ from the published weights (this is logged); any other file must have their
    SHA-256.

    Raises:
        DataError: `path` is not a file, or the download fails or does not match the published file.
    """
    if path is not None:
        if not path.is_file():
            raise DataError(
                f"{path}: no such weights; fix saliency.path (an .onnx file, relative to the data root), "
                "or set it to null for the published weights"
            )
        found = sha256_file(path)
        if found != SHA256:
            log.warning("%s: not the published U2-Net-p (SHA-256 %s); used because you named it", path, found)
        return path
    packaged = packaged_weights()
    if packaged is not None:
        if sha256_file(packaged) == SHA256:
            return packaged
        log.warning("%s: not the published U2-Net-p (its SHA-256 differs); not used", packaged)
    return download(URL, cache_folder() / FILE, SHA256)


def packaged_weights() -> Path | None:
    """Return the file inside the installed package, or None.

    The package is located but not imported, because importing it loads the network.
    """
    spec = importlib.util.find_spec(PACKAGE)
    folders = (spec.submodule_search_locations if spec else None) or []
    return next((path for folder in folders if (path := Path(folder) / FILE).is_file()), None)


def cache_folder() -> Path:
    """Return the user's cache folder for this project: $XDG_CACHE_HOME/auxseg or ~/.cache/auxseg."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "auxseg"


def download(url: str, target: Path, sha256: str) -> Path:
    """Return `target`, downloaded from `url` unless it exists with the right content; it is complete or absent.

    Raises:
        DataError: the server does not answer, or the content has a different SHA-256; nothing is left behind.
    """
    if target.is_file() and sha256_file(target) == sha256:
        return target
    fix = "give the file as saliency.path"
    log.info("%s: downloading from %s", target, url)
    try:
        with atomic_path(target) as temporary:
            digest = hashlib.sha256()
            with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer, temporary.open("wb") as stream:
                while chunk := answer.read(_CHUNK):
                    digest.update(chunk)
                    stream.write(chunk)
            if digest.hexdigest() != sha256:
                raise DataError(f"{url}: SHA-256 {digest.hexdigest()}, expected {sha256}; {fix}")
    except (OSError, urllib.error.URLError, ValueError) as error:
        # OSError covers a missing network, time-outs, HTTP error codes (HTTPError) and a full disk
        reason = getattr(error, "reason", None) or error
        raise DataError(f"{url}: download failed ({reason}); {fix}") from None
    return target
