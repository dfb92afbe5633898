"""Durations as people read them."""

import pytest

from auxseg.durations import duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1 s"),
        (0.6, "1 s"),
        (40, "40 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (89, "1 min"),
        (91, "2 min"),
        (240, "4 min"),
        (3569, "59 min"),
        (3571, "1 h"),
        (4800, "1 h 20 min"),
        (7200, "2 h"),
        (92000, "26 h"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds) == text
