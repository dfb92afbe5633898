"""Rounds of training and relabelling: r0 is the round of the initial labels, r1 that of the first trained network."""

import re
from dataclasses import dataclass
from typing import Self

from auxseg.errors import ParamsError


@dataclass(frozen=True, order=True, slots=True)
class Round:
    """The number of a round, 0 or more. Its name in files, on the command line and in dvc.yaml is `str(round)`: rN."""

    number: int

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError(f"round {self.number}: the first one is r0")

    @classmethod
    def parse(cls, name: str) -> Self:
        """Return the round with this name.

        Raises:
            ParamsError: it is not r0, r1, ... r9999.
        """
        if not is_round_name(name):
            raise ParamsError(f"'{name}' is not a round; write r0, r1, …")
        return cls(int(name[1:]))

    @classmethod
    def up_to(cls, last: Self) -> list[Self]:
        """Return r0, r1, ... and `last`."""
        return [cls(number) for number in range(last.number + 1)]

    def __str__(self) -> str:
        return f"r{self.number}"

    @property
    def is_initial(self) -> bool:
        """Whether this is r0, which has no network of its own: only the classifier and its CAMs."""
        return self.number == 0

    @property
    def previous(self) -> Self:
        """The round before.

        Raises:
            ValueError: this is r0.
        """
        return type(self)(self.number - 1)


R0 = Round(0)


def is_round_name(text: str) -> bool:
    """Tell whether a text is the name of a round: r0, r1, ... r9999."""
    return re.fullmatch(r"r(0|[1-9][0-9]{0,3})", text) is not None
