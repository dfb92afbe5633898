"""Which of U2-Net-p's weights are used: a file that the user names, or the published ones."""

import logging
from pathlib import Path

from auxseg.artifacts.atomic import sha256_file
from auxseg.errors import DataError
from auxseg.published import U2NETP, find

log = logging.getLogger(__name__)


def find_weights(path: Path | None = None) -> Path:
    """Return the .onnx file: `path`, else the published weights (`auxseg.published`).

    A file that the user names may differ from the published weights (it is logged); any other has their
    SHA-256.

    Raises:
        DataError: `path` is no file, or the published weights cannot be had.
    """
    if path is None:
        return find(U2NETP)
    if not path.is_file():
        raise DataError(
            f"{path}: no such weights; mend saliency.path (an .onnx file, relative to the data root), "
            "or set it to null for the published weights"
        )
    found = sha256_file(path)
    if found != U2NETP.sha256:
        log.warning("%s: not the published U2-Net-p (SHA-256 %s); used because it was named", path, found)
    return path
