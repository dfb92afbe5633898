"""The guard's judgement of a round, as the file data/guard/<round>.json."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from auxseg.artifacts.atomic import write_json
from auxseg.errors import DataError

FOLDER = Path("data/guard")
BEST = "best"
"""Instead of a round's name: the last good round."""


@dataclass(frozen=True)
class Judgement:
    """The guard's judgement of one round."""

    round: str
    reference: str
    """The round that it was compared with: the best one before it, or r0 itself for r0."""
    good: bool
    best: str
    """The last good round up to this one."""
    reasons: tuple[str, ...]
    """What is clearly worse, one sentence each; empty for a good round."""
    advice: tuple[str, ...]
    """What to try, one sentence each; empty for a good round."""
    figures: dict[str, float | None]
    """Figures of this round (see `auxseg.guard.figures`)."""
    reference_figures: dict[str, float | None]
    """The values they were compared with: for every figure the best value in the good rounds before, so that a collapse
    in small steps is detected too."""

    @property
    def warning(self) -> str:
        """What is wrong and what to try, in one line; empty for a good round."""
        if self.good:
            return ""
        what = "the initial labels look poor"
        if self.round != "r0":
            better = "the initial labels" if self.reference == "r0" else f"round {self.reference[1:]}"
            what = f"round {self.round[1:]} is worse than {better}"
        return " ".join([f"{what}: {'; '.join(self.reasons)}.", *self.advice])

    def write(self, path: Path) -> None:
        """Write the file, atomically."""
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file.

        Raises:
            DataError: it is missing or damaged.
        """
        try:
            values = json.loads(path.read_text("utf-8"))
            return cls(**{**values, "reasons": tuple(values["reasons"]), "advice": tuple(values["advice"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise DataError(f"{path}: not readable ({error}); `dvc repro` makes it, or `dvc pull` fetches it") from None


def read_judgements(rounds: Sequence[str], folder: Path = FOLDER) -> list[Judgement]:
    """Read the judgements of some rounds, in their order."""
    return [Judgement.read(folder / f"{name}.json") for name in rounds]


def last_judgement(rounds: Sequence[str], folder: Path = FOLDER) -> Judgement:
    """Return the judgement of the last round that has one; after a closed gate, later rounds have none.

    Raises:
        DataError: no round has one.
    """
    judged = [name for name in rounds if (folder / f"{name}.json").exists()]
    return Judgement.read(folder / f"{judged[-1] if judged else rounds[0]}.json")
