"""Numbers with their noun, as messages show them: `1 mask`, `2 masks`."""


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number and its noun.

    Args:
        number: of the things.
        one: what follows 1: a noun, or a noun with its verb (`image has`).
        many: what follows any other number; empty: `one` and an s.
    """
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def and_more(number: int) -> str:
    """Return ` (and 2 more)` for three things, of which the message names one; empty for one thing or none."""
    return f" (and {number - 1} more)" if number > 1 else ""


def are(number: int) -> str:
    """Return `is` or `are`, as the verb of a number of things."""
    return "is" if number == 1 else "are"
