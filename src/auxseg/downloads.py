"""Downloads over HTTPS: checked by SHA-256, continued where an earlier attempt stopped, complete or not there."""

import fcntl
import logging
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import requests
from tqdm import tqdm

from auxseg.artifacts.atomic import sha256_file
from auxseg.errors import DataError

SCHEMES = ("https",)
"""Accepted schemes of URLs, those of redirections too."""

_TIMEOUT = 30  # seconds without a byte
_CHUNK = 1 << 16  # of an interrupted download, whole chunks are kept

log = logging.getLogger(__name__)


def download(url: str, sha256: str, target: Path, fix: str = "run the same command again, it continues") -> Path:
    """Download a file to `target`, or keep the one that is there if its SHA-256 is right; return `target`.

    What has arrived is kept in `<target>.part`, and the next call asks for the rest. Messages end with `fix`.

    Raises:
        DataError: there is no answer, or the content is not what was published. In the second case nothing is kept.
    """
    if _is(target, sha256):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    # stages may start at the same time: one downloads, the others wait
    claim = target.with_name(f".tmp-{target.name}.lock")
    with claim.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            if not _is(target, sha256):
                _download(url, sha256, target, fix)
        finally:
            claim.unlink(missing_ok=True)  # whoever waits has it open
    return target


def _is(target: Path, sha256: str) -> bool:
    return target.is_file() and sha256_file(target) == sha256


def _download(url: str, sha256: str, target: Path, fix: str) -> None:
    part = target.with_name(f"{target.name}.part")
    log.info("%s: downloading from %s", target, url)
    try:
        _fetch(url, part)
    except OSError as error:  # requests' exceptions are OSErrors
        raise DataError(f"{url}: download failed ({' '.join(str(error).split())}); {fix}") from None
    if (found := sha256_file(part)) != sha256:
        part.unlink()
        raise DataError(f"{url}: download failed (expected SHA-256 {sha256}, but got {found}); {fix}")
    part.replace(target)


def _fetch(url: str, part: Path) -> None:
    """Append what `part` lacks of the file at `url`."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    _require_scheme(url)
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as answer:
        for hop in (*answer.history, answer):
            _require_scheme(hop.url)
        if have and answer.status_code == requests.codes.requested_range_not_satisfiable:
            return  # all of it is there
        answer.raise_for_status()
        is_rest = answer.status_code == requests.codes.partial_content
        kept = have if is_rest else 0
        size = int(answer.headers.get("Content-Length", 0)) + kept
        bar = tqdm(desc=part.stem, total=size or None, initial=kept, unit="B", unit_scale=True, disable=None)
        with bar, part.open("ab" if is_rest else "wb") as stream:
            for chunk in answer.iter_content(_CHUNK):
                stream.write(chunk)
                bar.update(len(chunk))


def _require_scheme(url: str) -> None:
    if urlsplit(url).scheme not in SCHEMES:
        raise DataError(f"{url}: not a URL of {' or '.join(SCHEMES)}; nothing else is downloaded")


def unpack(archive: Path, inner: str, target: Path) -> None:
    """Unpack a folder of a tar or zip archive as `target`, completely or not at all.

    Members that would leave the folder, links out of it, and devices are errors.

    Raises:
        DataError: the archive is damaged, or has no folder `inner`; or `target` exists.
    """
    if target.exists():
        raise DataError(f"{target}: exists, but lacks a part of what is published; remove it and try again")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".tmp-", dir=target.parent) as name:
        try:
            if zipfile.is_zipfile(archive):
                shutil.unpack_archive(archive, name, "zip")
            else:
                with tarfile.open(archive) as tar:
                    tar.extractall(name, filter="data")
            (Path(name) / inner).rename(target)
        except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, shutil.Error) as error:
            reason = " ".join(str(error).split())  # tarfile's may have several lines
            raise DataError(f"{archive}: cannot be unpacked ({reason}); remove it and try again") from None
