"""Paths in params.yaml to files outside the data set: DVC notices changes of their content by a hash in params.yaml."""

from typing import ClassVar, Protocol

from auxseg.errors import ParamsError


class Watched(Protocol):
    """A section with a path; `auxseg scan` writes the hash of its content into `sha256`."""

    key: ClassVar[str]
    path_key: ClassVar[str]
    """The key that holds the path: `path`, or `weights` in the section `backbone`."""

    @property
    def sha256(self) -> str | None:
        """The hash of the content, or None before the first scan."""
        ...

    def watched(self) -> str | None:
        """Return the path in use, or None."""
        ...


def require_scanned(section: Watched) -> None:
    """Reject a path that was never scanned, because DVC would not notice when its content changes.

    Raises:
        ParamsError: a path is in use but has no hash.
    """
    if section.watched() is not None and section.sha256 is None:
        key = section.key
        raise ParamsError(
            f"params.yaml: key '{key}.sha256': the content of {key}.{section.path_key} has not been scanned; "
            "run `auxseg scan`"
        )
