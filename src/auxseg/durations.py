"""Durations as people read them."""


def duration(seconds: float) -> str:
    """Return a number of seconds as "40 s", "4 min" or "1 h 20 min", rounded to the smallest unit shown."""
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return " ".join(text for number, text in ((hours, f"{hours} h"), (minutes, f"{minutes} min")) if number)
