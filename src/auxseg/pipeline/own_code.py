"""Check that the code which runs is the code that dvc.lock will name: this project's, as its fingerprint describes it.

A run takes hours, and every stage imports src/ when it starts. Code that is edited in between would make results that
are recorded under the fingerprint of before, and a shared cache would hand them on.
"""

from pathlib import Path

from auxseg.artifacts.atomic import signature
from auxseg.errors import ChangedError, ParamsError
from auxseg.pipeline.fingerprint import PACKAGE, SCRIPTS, SOURCE, Fingerprints


def require_own_package() -> None:
    """Check that `auxseg` comes from this project, not from another copy, whose code would be recorded as this one's.

    Raises:
        ParamsError: names both folders.
    """
    own, used = SOURCE / PACKAGE, Path(__file__).parents[1]
    if not (own / "pipeline").is_dir() or own.samefile(used) or _modules(own) == _modules(used):
        return  # two clones of the same code may share an environment
    raise ParamsError(
        f"{own.resolve()}: not the code that runs, which is {used}; run `make env` here and use its environment"
    )


def _modules(package: Path) -> dict[Path, bytes]:
    return {path.relative_to(package): path.read_bytes() for path in package.rglob("*.py")}


class OwnCode:
    """The code of one stage, compared with its fingerprint when the stage starts, and again when it ends."""

    def __init__(self, stage: str, fingerprint: Path):
        self._stage, self._fingerprint = stage, fingerprint
        self._files = self._signature()
        self._compare()

    def check(self) -> None:
        """Check that the code is still what its fingerprint says.

        Raises:
            ChangedError: it was changed after the run began.
        """
        if self._signature() != self._files:  # reading all code takes a quarter of a second, and comments may change
            self._compare()

    def _signature(self) -> list[tuple[str, int, int, int]]:
        return signature([*map(str, SOURCE.rglob("*.py")), f"{SCRIPTS / self._stage}.py"])

    def _compare(self) -> None:
        if self._fingerprint.read_text("utf-8").strip() != Fingerprints().stage(self._stage):
            raise ChangedError(
                f"{SOURCE}: the code of the stage {self._stage} changed after the run began, so its result would be "
                "recorded as that of other code; run again"
            )
