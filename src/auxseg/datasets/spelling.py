"""Which spellings are the same class name: they differ only in case, in spaces, or in Unicode form."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence

from auxseg.counts import counted

SHOWN = 5
"""Number of merged spellings that are listed; the others are only counted."""


def tidy(text: str) -> str:
    """Return the name in Unicode's composed form (NFC), with single spaces inside and none around it."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def fold(text: str) -> str:
    """Return a form that is the same for all spellings of a name."""
    return unicodedata.normalize("NFC", tidy(text).casefold())


class KnownNames:
    """The names of `data.classes`, found in any spelling; an exact match has priority."""

    def __init__(self, names: Collection[str]):
        self._exact = frozenset(names)
        self._folded: dict[str, str] = {}
        for name in names:
            self._folded.setdefault(fold(name), name)
        self.most_words = max((len(name.split()) for name in names), default=0)

    def find(self, text: str) -> str | None:
        """Return the known name that `text` spells, or None."""
        return text if text in self._exact else self._folded.get(fold(text))


def unify(rows: Sequence[Sequence[str]], known: KnownNames) -> tuple[list[tuple[str, ...]], list[str]]:
    """Give every name one spelling: the known one, or else the most frequent one (the first among equals).

    Args:
        rows: the names of each image, as written.
        known: names whose spelling has priority.

    Returns:
        The names of each image, each name once, and notes that say which spellings were changed to which.
    """
    counts = Counter(raw for row in rows for raw in dict.fromkeys(row))
    groups: dict[str, dict[str, int]] = {}
    for raw, count in counts.items():
        groups.setdefault(fold(raw), {})[raw] = count
    chosen: dict[str, str] = {}
    notes = []
    for spellings in groups.values():
        images: Counter[str] = Counter()
        for raw, count in spellings.items():
            images[tidy(raw)] += count
        most_frequent = max(images, key=images.__getitem__)  # the first among equals
        for raw in spellings:
            chosen[raw] = known.find(raw) or most_frequent
        for raw, count in spellings.items():
            # a single spelling throughout, such as `cat ` in every cell, is not worth a note
            if raw != chosen[raw] and (tidy(raw) != chosen[raw] or len(spellings) > 1):
                notes.append(_note(raw, count, chosen[raw], spellings))
    if len(notes) > SHOWN:
        notes[SHOWN:] = [f"labels: {len(notes) - SHOWN} more spellings are read as another one"]
    return [tuple(dict.fromkeys(chosen[raw] for raw in row)) for row in rows], notes


def _note(raw: str, count: int, name: str, spellings: dict[str, int]) -> str:
    form = " in another Unicode form" if raw.strip() != name and unicodedata.normalize("NFC", raw) == name else ""
    others = f" ({images(spellings[name])})" if name in spellings else ""
    return f"labels: '{raw}'{form} ({images(count)}) is read as '{name}'{others}"


def images(count: int) -> str:
    """Return `1 image`, `2 images`."""
    return counted(count, "image")
