"""Hostile and odd input: one line, at once, in little memory, and no program is started.

To add an input, add a row to one of the `rows_*` modules beside this file; `rows` has what makes them.
"""

import re

import bounds
import pytest
import rows_images
import rows_params
import rows_pickles
import rows_tables
from bounds import read_or_one_line

from auxseg.errors import QUOTED

ROWS = [*rows_images.ROWS, *rows_tables.ROWS, *rows_pickles.ROWS, *rows_params.ROWS]
SECONDS = 20
"""Of the processor, for a row. It needs a hundredth of a second."""


def test_the_table_is_large_and_no_row_is_there_twice():
    names = [row.name for row in ROWS]
    assert len(names) >= 300
    assert len(set(names)) == len(names), sorted({name for name in names if names.count(name) > 1})


@pytest.mark.skipif(not bounds.STATUS.exists(), reason="without /proc, an earlier peak hides a later one")
def test_a_bomb_is_noticed_after_a_test_that_needed_as_much(monkeypatch):
    monkeypatch.setattr(bounds, "MEGABYTES", 100)
    assert len(bytearray(300 << 20)) == 300 << 20
    with pytest.raises(AssertionError, match=r"^2\d\d MB"), bounds.bounded(SECONDS):
        assert len(b"x" * (250 << 20)) == 250 << 20


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_one_line(row, tmp_path):
    line = read_or_one_line(row.read, row.build(tmp_path), SECONDS)
    assert line, "it was read"
    assert re.search(row.line, line), line
    assert all(len(word) <= QUOTED for word in re.findall(r"(?<!\w)'(.*?)'(?!\w)", line)), line
