"""Progress bars and worker processes for loops over images."""

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from tqdm import tqdm

from auxseg.durations import duration
from auxseg.errors import ResourceError
from auxseg.parent import end_with_parent

THREADS = "OMP_NUM_THREADS"
SECONDS_BETWEEN_LINES = 30
"""Minimum time between two lines of a loop's progress in a log."""
READERS, AHEAD = 2, 4
"""Threads that read files, and files that may be read before they are needed; an image of 134 megapixels is 0.4 GB."""

T = TypeVar("T")
R = TypeVar("R")


def track(items: Iterable[T], title: str, total: int | None = None, unit: str = "image") -> Iterator[T]:
    """Iterate and show position, rate and time left: as a bar if standard error is a terminal, else in the log.

    The log gets at most one line every 30 seconds, so a shorter loop writes nothing.

    Args:
        items: what to iterate over.
        title: the name of the loop.
        total: the number of items, if `items` has no length.
        unit: one item, in the singular.
    """
    if sys.stderr.isatty():
        return iter(tqdm(items, desc=title, total=total, unit=unit, dynamic_ncols=True))
    if total is None and isinstance(items, Sized):
        total = len(items)
    return _logged(items, title, total, unit)


def _logged(items: Iterable[T], title: str, total: int | None, unit: str) -> Iterator[T]:
    started = said = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()  # the caller has finished the item when it asks for the next one
        if now - said >= SECONDS_BETWEEN_LINES and done != total:
            logging.info("%s: %s", title, _position(done, total, unit, now - started))
            said = now


def _position(done: int, total: int | None, unit: str, seconds: float) -> str:
    """Return position, rate and time left as "40 of 120 batches, 1.2 batch/s, 1 min left"."""
    units = f"{unit}es" if unit.endswith("ch") else f"{unit}s"
    rate = f"{done / seconds:.1f} {unit}/s" if done >= seconds else f"{seconds / done:.1f} s/{unit}"
    if total is None:
        return f"{done} {units}, {rate}"
    return f"{done} of {total} {units}, {rate}, {duration(seconds / done * (total - done))} left"


def available_cpus() -> int:
    """Return the number of CPUs that this process may use.

    Limits are its affinity, the quota of its container, and LOKY_MAX_CPU_COUNT, which a scheduler may set.
    """
    from joblib import cpu_count  # imported here because it takes 0.1 s and not every stage needs it

    return int(cpu_count())


def map_processes(function: Callable[[T], R], items: Sequence[T], title: str, unit: str = "image") -> list[R]:
    """Apply `function` to every item in worker processes; results are in the order of `items`.

    It uses processes because pydensecrf and much of Pillow hold the interpreter's lock. `function` and the items must
    be picklable, and a result must not depend on the process that computed it. `unit` is what the bar counts.
    """
    workers = min(available_cpus(), len(items))
    if workers <= 1:
        return [function(item) for item in track(items, title, unit=unit)]
    chunk = max(1, min(16, len(items) // (workers * 4)))
    with _pool(workers) as pool:
        return list(track(pool.map(function, items, chunksize=chunk), title, total=len(items), unit=unit))


def background_processes(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Apply `function` in worker processes while `items` is still being produced; results keep the order of items.

    Use it for a producer that is busy itself (a network) and a `function` that needs the CPU meanwhile (a CRF). At most
    one item more than there are workers waits, so memory use stays constant.
    """
    workers = available_cpus()
    with _pool(workers) as pool:
        yield from _ahead(pool, function, items, workers)


def read_ahead(read: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Apply `read` in threads to a few items ahead of the one that is asked for; results keep the order of items.

    Use it for files that a network is to see: decoding JPEGs releases the interpreter's lock. An error arrives where
    its result would.
    """
    with ThreadPoolExecutor(READERS) as pool:
        yield from _ahead(pool, read, items, AHEAD)


def _ahead(pool: Executor, function: Callable[[T], R], items: Iterable[T], ahead: int) -> Iterator[R]:
    """Yield results in the order of items, while up to `ahead` more items are submitted."""
    waiting: deque[Future[R]] = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


@contextlib.contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    # spawn, because forking a process in which torch or OpenCV has started threads can deadlock
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, context, _start_worker, (os.getpid(),))
    with _single_threaded_children(), executor as pool:
        try:
            yield pool
        except BrokenProcessPool:
            raise ResourceError("a worker process was killed, probably out of memory; give the stage more") from None


def _start_worker(parent: int) -> None:
    end_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the parent ends, or not, and says why


@contextlib.contextmanager
def _single_threaded_children() -> Iterator[None]:
    """Start processes with one thread for BLAS and OpenMP, because there is already a worker for every CPU."""
    before = os.environ.get(THREADS)
    os.environ[THREADS] = "1"  # read when libraries are loaded, so it affects only new processes
    try:
        yield
    finally:
        if before is None:
            del os.environ[THREADS]
        else:
            os.environ[THREADS] = before
