"""The source of a saliency network's weights: a file that the user names, or the published U2-Net-p."""

import logging
from pathlib import Path

from auxseg.artifacts.atomic import sha256_file
from auxseg.errors import DataError
from auxseg.published import U2NETP, find

log = logging.getLogger(__name__)


def find_weights(provider: str = "u2netp", path: Path | None = None) -> Path:
    """Return the .onnx file: `path`, else the published weights of U2-Net-p (`auxseg.published`).

    The published file is checked by SHA-256. A file that the user names is used as it is; for `u2netp`, a warning says
    if it is not the published one.

    Raises:
        DataError: `path` is not a file, or the published weights cannot be found or downloaded.
    """
    if path is None:
        return find(U2NETP)
    if not path.is_file():
        raise DataError(
            f"{path}: no such weights; fix saliency.path (an .onnx file, relative to the data root)"
            + (", or set it to null for the published weights" if provider == "u2netp" else "")
        )
    if provider == "u2netp" and (found := sha256_file(path)) != U2NETP.sha256:
        log.warning("%s: not the published U2-Net-p (SHA-256 %s); used because you named it", path, found)
    return path
