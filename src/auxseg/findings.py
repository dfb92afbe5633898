"""What a check of many files finds: kinds of problems, each with its number and its first ten.

A check that goes through everything adds a line for every problem; `lines` and `values` show them as a table and as
JSON. Lines of a kind that say the same of different files are one line, followed by the places and values of the
others.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Level = Literal["error", "warning"]

SHOWN = 10
"""Number of problems that say the same, and of different ones of a kind, that are listed; the others are counted."""
_VALUES = re.compile(r"'[^']*'|\[[^;]*\]|\S*/[^\s;,()]*|-?\d[\d.,]*(?<![.,])")
"""What differs between lines that say the same: quoted texts, lists, paths and numbers."""


@dataclass
class Findings:
    """Problems by level and kind, in the order in which each kind was first found."""

    found: dict[tuple[Level, str], list[str]] = field(default_factory=dict)
    """(level, kind) -> one line for each problem."""

    def add(self, kind: str, lines: Iterable[str], level: Level = "error") -> None:
        """Add problems of a kind; nothing without lines."""
        for line in lines:
            self.found.setdefault((level, kind), []).append(line)

    def count(self, level: Level) -> int:
        """Return the number of problems of a level."""
        return sum(len(lines) for (one, _), lines in self.found.items() if one == level)

    def lines(self, shown: int | None = SHOWN) -> list[str]:
        """Return the table: level, number and kind, errors first, and below each kind its problems.

        Of those that say the same, the first is a line; places and values of the next up to `shown` are below it. At
        most `shown` such groups are listed. None: a line for every problem.
        """
        table = []
        for (level, kind), problems in self._ordered():
            table.append(f"{level:<8}{len(problems):>7}  {kind}")
            groups = [[line] for line in problems] if shown is None else list(alike(problems))
            for group in groups[:shown]:
                table.append(f"{'':17}{group[0]}")
                if len(group) > 1:
                    table.append(f"{'':17}  and {len(group) - 1} more alike: {_others(group, shown or SHOWN)}")
            if rest := sum(map(len, groups[shown:])) if shown is not None else 0:
                table.append(f"{'':17}… and {rest} more")
        return table

    def values(self) -> dict[str, Any]:
        """Return the same as a JSON value: numbers of errors and warnings, and the kinds with their problems.

        `first` has the first ten of each group of problems that say the same, of at most ten groups.
        """
        kinds = [
            {
                "level": level,
                "kind": kind,
                "count": len(lines),
                "first": [line for group in list(alike(lines))[:SHOWN] for line in group[:SHOWN]],
            }
            for (level, kind), lines in self._ordered()
        ]
        return {"errors": self.count("error"), "warnings": self.count("warning"), "kinds": kinds}

    def _ordered(self) -> list[tuple[tuple[Level, str], list[str]]]:
        return sorted(self.found.items(), key=lambda item: item[0][0])  # stable; error comes before warning


def alike(lines: Iterable[str]) -> Iterable[list[str]]:
    """Return the lines in groups that differ only in place and values, in the order of the first line of each."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for line in lines:
        groups.setdefault(tuple(_VALUES.split(_parts(line)[1])), []).append(line)
    return groups.values()


def _parts(line: str) -> tuple[str, str]:
    """Return the place of a line, which is empty in one without, and what the line says of it."""
    place, colon, text = line.partition(": ")
    return (place, text) if colon else ("", line)


def _others(group: Sequence[str], shown: int) -> str:
    """Return the places of the lines of a group but the first, up to `shown` with it, and the values that differ."""
    parts = [_parts(line) for line in group]
    places, values = [place for place, _ in parts], [_VALUES.findall(text) for _, text in parts]
    start = 1 + max(places[0].rfind(mark) for mark in ("/", " line ", " entry "))
    if any(place[:start] != places[0][:start] for place in places):
        start = 0
    differ = [at for at, value in enumerate(values[0]) if any(own[at] != value for own in values)]
    others = []
    for place, own in zip(places[1:shown], values[1:shown], strict=True):
        found = ", ".join(own[at] for at in differ)
        others.append(f"{place[start:]} ({found})" if place and found else place[start:] or f"({found})")
    return ", ".join([*others, *(["…"] if len(group) > shown else [])])
