"""The folder of another method's files, which a parameter names."""

from pathlib import Path

from auxseg.datasets.scan import check_content
from auxseg.errors import DataError
from auxseg.params.watched import Watched


def external_folder(section: Watched, root: Path) -> Path:
    """Return the folder in use; a relative path refers to `root`.

    Raises:
        DataError: there is no such folder, or its content is not what `auxseg scan` saw.
        ParamsError: `auxseg scan` has not seen it, so DVC could not tell when it changes.
    """
    folder = root / (section.watched() or "")
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; fix {section.key}.path (relative to the data root) or add it")
    check_content(section, root)
    return folder
