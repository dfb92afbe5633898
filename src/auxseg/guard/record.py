"""The guard's judgement of a round, as a JSON file."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Self

from auxseg.artifacts.atomic import write_json
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.errors import DataError, ParamsError, first_line

BEST = "best"
"""Instead of a round's name: the last good round."""


@dataclass(frozen=True)
class Judgement:
    """The guard's judgement of one round. Rounds are names, as in the file."""

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
    def is_initial(self) -> bool:
        """Whether this is the judgement of the initial labels."""
        return Round.parse(self.round).is_initial

    @property
    def warning(self) -> str:
        """What is wrong and what to try, in one line; empty for a good round."""
        if self.good:
            return ""
        what, reference = "the initial labels look poor", Round.parse(self.reference)
        if not self.is_initial:
            better = "the initial labels" if reference.is_initial else f"round {reference.number}"
            what = f"round {Round.parse(self.round).number} is worse than {better}"
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
            if not isinstance(values["good"], bool):  # "no" would open the gate
                raise TypeError("good is neither true nor false")
            for key in ("reasons", "advice"):
                if not (isinstance(values[key], list) and all(isinstance(text, str) for text in values[key])):
                    raise TypeError(f"{key} is not a list of texts")
            found = cls(**{**values, "reasons": tuple(values["reasons"]), "advice": tuple(values["advice"])})
            for name in (found.round, found.reference, found.best):
                Round.parse(name)
            for value in (*found.figures.values(), *found.reference_figures.values()):
                if value is not None and not isfinite(value):
                    raise ValueError(f"a figure is {value}")
            return found
        except (OSError, ValueError, TypeError, KeyError, AttributeError, ParamsError, RecursionError) as error:
            raise DataError(f"{path}: not readable ({first_line(error)}); `dvc pull` it, or run `auxseg run`") from None


def read_judgements(store: Store, rounds: Iterable[Round]) -> list[Judgement]:
    """Read the judgements of some rounds, in their order."""
    return [Judgement.read(store.judgement(one)) for one in rounds]


def judged_rounds(store: Store, rounds: Iterable[Round]) -> list[Round]:
    """Return the rounds that have a judgement, in their order."""
    return [one for one in rounds if store.judgement(one).exists()]


def last_judgement(store: Store, rounds: Sequence[Round]) -> Judgement:
    """Return the judgement of the last round that has one; after a closed gate, later rounds have none.

    Raises:
        DataError: no round has one.
    """
    return Judgement.read(store.judgement((judged_rounds(store, rounds) or rounds[:1])[-1]))
