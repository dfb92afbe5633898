"""What a check of many files finds: kinds of problems, each with its number and its first ten.

A check that goes through everything adds a line for every problem; `lines` and `values` show them as a table and as
JSON.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

Level = Literal["error", "warning"]

SHOWN = 10
"""Number of problems of a kind that the table and the JSON list; the others are counted."""


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
        """Return the table: level, number and kind, errors first, and below each kind its first `shown` (None: all)."""
        table = []
        for (level, kind), problems in self._ordered():
            table.append(f"{level:<8}{len(problems):>7}  {kind}")
            table += [f"{'':17}{line}" for line in problems[:shown]]
            if shown is not None and len(problems) > shown:
                table.append(f"{'':17}… and {len(problems) - shown} more")
        return table

    def values(self) -> dict[str, Any]:
        """Return the same as a JSON value: numbers of errors and warnings, and the kinds with their first ten."""
        kinds = [
            {"level": level, "kind": kind, "count": len(lines), "first": lines[:SHOWN]}
            for (level, kind), lines in self._ordered()
        ]
        return {"errors": self.count("error"), "warnings": self.count("warning"), "kinds": kinds}

    def _ordered(self) -> list[tuple[tuple[Level, str], list[str]]]:
        return sorted(self.found.items(), key=lambda item: item[0][0])  # stable; error comes before warning
