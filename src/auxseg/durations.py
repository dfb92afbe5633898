"""Durations in words."""


def duration(seconds: float) -> str:
    """Return a number of seconds as "40 s", "4 min", "1 h 20 min" or "26 h"; the shortest is "1 s"."""
    if seconds < 59.5:
        return f"{max(1, round(seconds))} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours >= 10:
        return f"{seconds / 3600:.0f} h"
    return " ".join(text for number, text in ((hours, f"{hours} h"), (minutes, f"{minutes} min")) if number)
