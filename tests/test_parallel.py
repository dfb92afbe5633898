"""Loops over processes: order, laziness, errors. The functions are the standard library's, so workers find them."""

import io
import logging
import math
import operator
import os
import re
import sys
from types import SimpleNamespace

import pytest

from auxseg import parallel
from auxseg.errors import ResourceError
from auxseg.parallel import available_cpus, background_processes, map_processes, read_ahead, track


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no affinity")
def test_available_cpus_is_this_process_share(monkeypatch):
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 8})
    assert available_cpus() == 3
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "2")  # what the Snakefile grants a job
    assert available_cpus() == 2
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cpus() == 1


def test_track_gives_every_item(capsys):
    assert list(track(iter(range(3)), "label")) == [0, 1, 2]
    assert capsys.readouterr().err == ""  # no terminal, no bar


class Terminal(io.StringIO):
    """A terminal that keeps what it is sent."""

    def isatty(self):
        return True


def test_on_a_terminal_the_bar_shows_rate_and_time_left(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())  # here: pytest sets its own after a fixture
    seconds = []
    monkeypatch.setattr("tqdm.std.time", lambda: sum(seconds))
    for item in track(iter(range(4)), "val", total=4):
        assert item == len(seconds)
        seconds.append(2.0)
    first = next(bar for bar in terminal.getvalue().split("\r") if "1/4" in bar)
    assert re.fullmatch(r"val:  25%\|.+\| 1/4 \[00:02<00:06,  2\.00s/image\] *", first)


@pytest.fixture
def clock(monkeypatch, caplog):
    """A clock that moves only when a test moves it, and a log that keeps lines of every level."""
    caplog.set_level(logging.INFO)
    seconds = [1000.0]
    monkeypatch.setattr(parallel, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    return seconds


def test_without_a_terminal_a_line_every_half_minute(clock, caplog):
    for _ in track(iter(range(120)), "epoch 3/10", total=120, unit="batch"):
        clock[0] += 0.75
    assert caplog.messages == [
        "epoch 3/10: 40 of 120 batches, 1.3 batch/s, 1 min left",
        "epoch 3/10: 80 of 120 batches, 1.3 batch/s, 30 s left",
    ]


def test_slow_items_are_counted_in_seconds_and_the_last_has_no_line(clock, caplog):
    for _ in track([0, 1, 2], "val"):
        clock[0] += 2400
    assert caplog.messages == [
        "val: 1 of 3 images, 2400.0 s/image, 1 h 20 min left",
        "val: 2 of 3 images, 2400.0 s/image, 40 min left",
    ]


def test_without_a_length_the_line_has_no_end(clock, caplog):
    for _ in track(iter(range(2)), "scan", unit="file"):
        clock[0] += 16
    assert caplog.messages == ["scan: 2 files, 16.0 s/file"]


def test_a_loop_that_ends_sooner_has_no_line(clock, caplog):
    for _ in track(range(29), "short"):
        clock[0] += 1
    assert caplog.messages == []


@pytest.mark.parametrize("stream", [io.StringIO, lambda: Terminal()])
def test_track_is_lazy_and_passes_errors_on(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream())
    produced = []

    def produce():
        for i in range(3):
            produced.append(i)
            yield i
        raise ValueError("broken")

    tracked = track(produce(), "label")
    assert produced == []
    assert next(tracked) == 0
    assert produced == [0]
    with pytest.raises(ValueError, match="broken"):
        list(tracked)


@pytest.mark.parametrize("cpus", [1, 2])
def test_the_bar_over_processes_knows_how_many_items_there_are(monkeypatch, cpus):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setattr(parallel, "available_cpus", lambda: cpus)
    map_processes(operator.neg, list(range(20)), "scenes", unit="scene")
    last = terminal.getvalue().split("\r")[-1]
    assert re.match(r"scenes: 100%\|.+\| 20/20 \[\d\d:\d\d<00:00, .*(scene/s|s/scene)\]", last)


@pytest.mark.parametrize("cpus", [1, 2])
def test_map_processes_keeps_the_order(monkeypatch, cpus):
    monkeypatch.setattr(parallel, "available_cpus", lambda: cpus)
    assert map_processes(operator.neg, list(range(20)), "label") == [-i for i in range(20)]


def test_map_processes_of_nothing():
    assert map_processes(operator.neg, [], "label") == []


def test_map_processes_uses_other_processes(monkeypatch):
    monkeypatch.setattr(parallel, "available_cpus", lambda: 2)
    pids = map_processes(_Pid(), [0, 1], "label")
    assert os.getpid() not in pids
    assert map_processes(_Pid(), [0], "label") == [os.getpid()]  # one item is not worth a process


class _Pid:
    """Calls os.getpid in whichever process it is run; pickled as functions of the standard library."""

    def __reduce__(self):
        return eval, ("lambda _: __import__('os').getpid()",)

    def __call__(self, _):
        return os.getpid()


@pytest.mark.parametrize("before", [None, "7"])
def test_workers_have_one_thread_and_this_process_keeps_its_own(monkeypatch, before):
    monkeypatch.setattr(parallel, "available_cpus", lambda: 2)
    monkeypatch.delenv(parallel.THREADS, raising=False)
    if before is not None:
        monkeypatch.setenv(parallel.THREADS, before)
    assert map_processes(os.getenv, [parallel.THREADS] * 2, "label") == ["1", "1"]
    assert os.environ.get(parallel.THREADS) == before


def test_an_error_in_a_process_arrives(monkeypatch):
    monkeypatch.setattr(parallel, "available_cpus", lambda: 2)
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        map_processes(math.sqrt, [4.0, -1.0, 9.0], "label")


def test_background_processes_keep_order_and_do_not_run_far_ahead(monkeypatch):
    monkeypatch.setattr(parallel, "available_cpus", lambda: 1)
    produced = []

    def produce():
        for i in range(12):
            produced.append(i)
            yield i

    results = []
    for result in background_processes(operator.neg, produce()):
        results.append(result)
        assert len(produced) - len(results) <= 2  # the worker's and one more, as promised
    assert results == [-i for i in range(12)]


def test_reading_ahead_keeps_order_and_its_distance():
    read = []

    def one(number):
        read.append(number)
        return -number

    results = []
    for result in read_ahead(one, range(20)):
        results.append(result)
        assert len(read) - len(results) <= parallel.AHEAD
    assert results == [-number for number in range(20)]
    assert sorted(read) == list(range(20))


def test_an_error_arrives_where_its_result_would():
    numbers = read_ahead(math.sqrt, [4.0, 9.0, -1.0, 16.0])
    assert [next(numbers), next(numbers)] == [2.0, 3.0]
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        next(numbers)


def test_background_error_arrives(monkeypatch):
    monkeypatch.setattr(parallel, "available_cpus", lambda: 1)
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        list(background_processes(math.sqrt, [1.0, -1.0]))


def test_a_killed_worker_is_reported_in_one_line(monkeypatch):
    """Without care the loop would wait for ever."""
    monkeypatch.setattr(parallel, "available_cpus", lambda: 2)
    with pytest.raises(ResourceError, match="a worker process was killed"):
        map_processes(os._exit, [1, 1], "label")
    with pytest.raises(ResourceError, match="a worker process was killed"):
        list(background_processes(os._exit, [1, 1]))
