"""A reader of pickles that runs no code of theirs and makes no more of them than they contain.

It is Python's own reader in Python. That in C reserves gigabytes for one number in a memo, and overflows its stack when
nested tuples are the key of a dictionary. What a pickle may name is up to the subclass.
"""

import io
import pickle
from typing import Any, ClassVar

import numpy as np

from auxseg.errors import DataError

LARGER = 8
"""Arrays and texts that a pickle makes may have this many times its bytes, and FREE beside."""
FREE = 2**24
"""Bytes that the arrays of a pickle may have in any case."""
KEYS = (str, int, float, bytes, type(None))
"""Types of the keys of dictionaries."""


_Reader: Any = pickle._Unpickler


class PlainUnpickler(_Reader):  # type: ignore[misc]  # which typeshed describes as the one in C
    """Builds dictionaries with plain keys, lists, tuples, and what `find_class` allows."""

    dispatch: ClassVar[dict[int, Any]] = dict(_Reader.dispatch)
    for _forbidden in (pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.NEXT_BUFFER):
        dispatch.pop(_forbidden[0])

    filled: tuple[type, ...] = ()
    """Classes of a subclass that take a state; another object's attributes are not set."""

    def __init__(self, content: bytes):
        super().__init__(io.BytesIO(content), encoding="latin1")
        self._left = LARGER * len(content) + FREE

    def load_bytearray8(self) -> None:
        """Read bytes, without reserving as many as they say they are."""
        self.stack.append(bytearray(self.read(int.from_bytes(self.read(8), "little"))))

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8

    def load_reduce(self) -> None:
        """Call what `find_class` returned."""
        super().load_reduce()
        self._spend(self.stack[-1])

    dispatch[pickle.REDUCE[0]] = load_reduce

    def load_build(self) -> None:
        """Give an object of `filled` its state."""
        if not isinstance(self.stack[-2], self.filled):
            raise DataError(f"its pickle fills a {type(self.stack[-2]).__name__}; save it as a plain dictionary")
        super().load_build()
        self._spend(getattr(self.stack[-1], "values", None))

    dispatch[pickle.BUILD[0]] = load_build

    def load_setitem(self) -> None:
        """Add an item to a dictionary."""
        require_plain_keys([self.stack[-2]])
        super().load_setitem()

    dispatch[pickle.SETITEM[0]] = load_setitem

    def load_setitems(self) -> None:
        """Add items to a dictionary."""
        require_plain_keys(self.stack[::2])
        super().load_setitems()

    dispatch[pickle.SETITEMS[0]] = load_setitems

    def load_dict(self) -> None:
        """Make a dictionary of the items since the mark."""
        require_plain_keys(self.stack[::2])
        super().load_dict()

    dispatch[pickle.DICT[0]] = load_dict

    def _reject(self) -> None:
        raise DataError("its pickle holds a set; save it as a plain dictionary")

    for _forbidden in (pickle.FROZENSET, pickle.ADDITEMS):
        dispatch[_forbidden[0]] = _reject

    def _spend(self, made: object) -> None:
        size = made.nbytes if isinstance(made, np.ndarray) else len(made) if isinstance(made, str | bytes) else 0
        self._left -= size
        if self._left < 0:
            raise DataError("its pickle makes far more of its bytes than they are; save the arrays themselves")


def require_plain_keys(keys: list[Any]) -> None:
    """Check keys before Python hashes them: the hash of nested tuples can take for ever.

    Raises:
        DataError: a key is not plain.
    """
    for key in keys:
        if not isinstance(key, KEYS):
            raise DataError(f"its pickle has a {type(key).__name__} as a key; save it as a plain dictionary")
