"""Types of command-line arguments."""

import argparse
from collections.abc import Callable
from pathlib import Path


def whole_number(most: int, least: int = 1) -> Callable[[str], int]:
    """Return the argument type of a whole number from `least` to `most`."""

    def parse(text: str) -> int:
        if not text.isdecimal() or len(text) > len(str(most)) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"expected a whole number from {least} to {most}, got '{text}'")
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
