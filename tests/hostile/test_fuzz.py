"""Changed copies of valid files: every reader reads them, or says in one line why not.

`make test` tries a few for each reader, `make test-nightly` as many as fit into AUXSEG_FUZZ_SECONDS of the processor,
600 for each. For one reader: AUXSEG_FUZZ_SECONDS=60 pytest tests/hostile/test_fuzz.py -m nightly -k COCO -s
"""

import os
import time
import warnings
from collections import Counter

import pytest
from bounds import read_or_one_line
from changed_bytes import CHANGES, Change
from fuzzed import READERS, Reader
from hypothesis import HealthCheck, Phase, given, seed, settings

from auxseg import images
from auxseg.datasets.annotations import draw_label_studio

SECONDS = 20
"""Of the processor, for one file. A file needs a hundredth of a second."""
FEW = 12
"""Files for each reader in the short form."""
AT_ONCE = 500
"""Files between two looks at the clock in the long form."""
BUDGET = float(os.environ.get("AUXSEG_FUZZ_SECONDS", "600"))
"""Seconds of the processor for each reader in the long form."""
SETTINGS = settings(
    deadline=None,
    database=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


@pytest.fixture
def fuzz(tmp_path, monkeypatch):
    """Return a function that gives changed files to a reader; it returns how many were read and how many rejected."""
    # so that files of the largest accepted size need little time and memory
    for module in (images, draw_label_studio):
        monkeypatch.setattr(module, "MAX_PIXELS", 2**20)

    made: dict[str, list[bytes]] = {}

    def run(reader: Reader, files: int, number: int) -> Counter:
        if reader.name not in made:
            made[reader.name] = reader.seeds()
        seeds = made[reader.name]
        done: Counter = Counter()
        reader.beside(tmp_path)
        path = tmp_path / reader.file

        @seed(number)
        @settings(SETTINGS, max_examples=files)
        @given(CHANGES)
        def check(change: Change) -> None:
            path.write_bytes(change.apply(seeds, reader.form))
            for read in reader.reads:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    line = read_or_one_line(read, path, SECONDS)
                done["rejected" if line else "read"] += 1

        check()
        return done

    return run


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_valid_files_are_read(tmp_path, reader):
    reader.beside(tmp_path)
    path = tmp_path / reader.file
    for content in reader.seeds():
        path.write_bytes(content)
        lines = [read_or_one_line(read, path, SECONDS) for read in reader.reads]
        assert "" in lines, lines


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_a_few_changed_files(fuzz, reader):
    assert sum(fuzz(reader, FEW, 1).values()) >= FEW


@pytest.mark.nightly
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_many_changed_files(fuzz, reader):
    end, done, number = time.process_time() + BUDGET, Counter(), time.time_ns()
    while time.process_time() < end:
        number += 1
        done += fuzz(reader, AT_ONCE, number)
    print(f"\n{reader.name}: {done['read']} read, {done['rejected']} rejected")
    assert done["rejected"]
