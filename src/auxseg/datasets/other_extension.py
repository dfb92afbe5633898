"""A hint for a missing file: it is there under another extension."""

from pathlib import Path


def other_extension(path: Path) -> str:
    """Return the end of a message that names a file of the same name with another extension, or '' without one.

    Only for a message: it lists the folder.
    """
    folder = path.parent
    names = sorted(other.name for other in folder.iterdir() if other.is_file()) if folder.is_dir() else []
    same = [name for name in names if Path(name).stem == path.stem and name != path.name]
    return f"; the folder has {same[0]}, but only {path.suffix} is read: convert it" if same else ""
