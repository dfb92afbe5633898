"""How the checks of a data set tell what is wrong: the first problem as an error, or all problems for a table.

`prepare` stops at the first problem. `auxseg check --data` passes the same checks a `Problems` that collects, and they
continue with what is right.
"""

import contextlib
import logging
from collections.abc import Iterable, Iterator, Sequence

from auxseg.errors import DataError, shorten
from auxseg.findings import Findings, Level

log = logging.getLogger(__name__)

NAMED = 10
"""Number of further problems that `raise_first` names; the others are only counted."""

ROWS = "rows or entries of labels that cannot be used"
LISTED = "listed images that cannot be used"
ANNOTATIONS = "annotations that cannot be used"
FILES = "images or masks that cannot be used"
WHOLE = "problems of the whole data set"


def raise_first(problems: Iterable[str], names: Sequence[str] = ()) -> None:
    """Raise the first problem with the number of further ones; do nothing without problems.

    Args:
        problems: one line each.
        names: what the problems are about, such as paths, in the same order; the message lists those of the further
            problems, up to NAMED.

    Raises:
        DataError: there is a problem.
    """
    problems = list(problems)
    if problems:
        shown = shorten(names[1:], NAMED)
        more = f" (and {len(problems) - 1} more{': ' if shown else ''}{shown})" if len(problems) > 1 else ""
        raise DataError(problems[0] + more)


class Problems:
    """What a check reports to: it raises the first problem, or adds all of them to `found` if there is one."""

    def __init__(self, found: Findings | None = None):
        self.found = found

    def reject(self, kind: str, lines: Iterable[str], names: Sequence[str] = ()) -> None:
        """Report problems of a kind; nothing without lines. See `raise_first`.

        Raises:
            DataError: there is a problem, and problems are not collected.
        """
        if self.found is None:
            raise_first(lines, names)
        else:
            self.found.add(kind, lines)

    def sum_up(self, kind: str, lines: Iterable[str], message: str, level: Level = "error") -> None:
        """Report problems that one `message` sums up; it is the error or the warning where they are not collected.

        Raises:
            DataError: the level is `error`, and problems are not collected.
        """
        if self.found is not None:
            self.found.add(kind, lines, level)
        elif level == "error":
            raise DataError(message)
        else:
            log.warning("%s", message)

    @contextlib.contextmanager
    def of(self, kind: str) -> Iterator[None]:
        """Run a part of a check; a DataError of it is collected, and ends this part alone."""
        try:
            yield
        except DataError as error:
            if self.found is None:
                raise
            self.found.add(kind, [str(error)])


STRICT = Problems()
"""Raises the first problem."""
