"""Hostile and odd input: one line, at once, in little memory, and no program is started.

To add an input, add a row to one of the `rows_*` modules beside this file; `rows` has what makes them.
"""

import re
import resource
import signal
import subprocess

import pytest
import rows_images
import rows_params
import rows_pickles
import rows_tables

from auxseg.errors import CONTROLS, LINE, QUOTED, AuxsegError

ROWS = [*rows_images.ROWS, *rows_tables.ROWS, *rows_pickles.ROWS, *rows_params.ROWS]
SECONDS = 60
"""A row needs a hundredth of a second; this is for a busy machine."""
MEGABYTES = 700
"""More than the libraries that a reader may import, and less than any bomb."""


@pytest.fixture(autouse=True)
def _no_hang_no_program(monkeypatch):
    def late(*_):
        raise AssertionError(f"no answer within {SECONDS} s")

    def started(*command, **_):
        raise AssertionError(f"a program was started: {command}")

    monkeypatch.setattr(subprocess, "Popen", started)
    signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)


def test_the_table_is_large_and_no_row_is_there_twice():
    names = [row.name for row in ROWS]
    assert len(names) >= 300
    assert len(set(names)) == len(names), sorted({name for name in names if names.count(name) > 1})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_one_line(row, tmp_path):
    path = row.build(tmp_path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(AuxsegError) as raised:
        row.read(path)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    line = str(raised.value)
    assert re.search(row.line, line), line
    assert not CONTROLS.search(line), line
    assert len(line) <= LINE
    assert all(len(word) <= QUOTED for word in re.findall(r"(?<!\w)'(.*?)'(?!\w)", line)), line
    assert grown < MEGABYTES, f"{grown:.0f} MB"
