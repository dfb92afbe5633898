"""Types of command-line arguments."""

import argparse
from collections.abc import Callable
from pathlib import Path


def whole_number(most: int) -> Callable[[str], int]:
    """Return the argument type of a whole number from 1 to `most`."""

    def parse(text: str) -> int:
        if not text.isdecimal() or len(text) > len(str(most)) or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"expected a whole number from 1 to {most}, got '{text}'")
        return int(text)

    return parse


def a_path(text: str) -> Path:
    """Return `text` as a path. Empty text, as from an unset shell variable, is an error, not the current folder.

    Raises:
        argparse.ArgumentTypeError: the text is empty.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("expected a path, got nothing")
    return Path(text)
