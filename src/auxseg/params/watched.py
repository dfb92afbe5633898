"""Paths of params.yaml outside the data root's list: DVC sees their content through a hash beside them."""

from typing import ClassVar, Protocol

from auxseg.errors import ParamsError


class Watched(Protocol):
    """A section with a path whose content `auxseg scan` hashes into `sha256`."""

    key: ClassVar[str]
    path_key: ClassVar[str]
    """The key that holds the path: `path`, of the backbone `weights`."""

    @property
    def sha256(self) -> str | None:
        """The hash of that content, or None before the first scan."""
        ...

    def watched(self) -> str | None:
        """Return the path in use, or None."""
        ...


def require_scanned(section: Watched) -> None:
    """Reject a path that was never scanned: DVC could not tell when its content changes.

    Raises:
        ParamsError: there is a path in use and no hash.
    """
    if section.watched() is not None and section.sha256 is None:
        key = section.key
        raise ParamsError(
            f"params.yaml: key '{key}.sha256': what {key}.{section.path_key} leads to is not scanned yet; "
            "run `auxseg scan`"
        )
