"""Change one detail of a module at a time and count the changes that its tests notice: `make mutants`.

    python tools/mutants.py                    every module of TESTS
    python tools/mutants.py fusion metrics     some of them
    python tools/mutants.py --again fusion     the survivors once more, after new tests

All tests run once, to learn which of them execute which line. Then every mutant (tools/mutations.py) gets a fork of
that process, in which the tests that execute its line run, the fastest first, until one fails. Before that, a fork
without a change has to pass. Results go to .auxseg/mutants.csv as they come, so that an interrupted run goes on; a
changed source file starts again. A test that starts a program does not see a mutant, which is in one process alone.
"""

import argparse
import csv
import hashlib
import os
import resource
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from mutations import FUNCTIONS, ROOT, SOURCE, Mutant, NoMutantError, control, functions_of, install, lines_of, mutants

RESULTS = ROOT / ".auxseg/mutants.csv"
TESTS = {
    "fusion": ("fusion.py", ["tests/test_fusion.py"]),
    "metrics": ("metrics/*.py", ["tests/metrics", "--deselect=tests/metrics/test_protocol.py"]),
    "affinity": (
        "models/affinity.py",
        [
            "tests/models/test_affinity.py",
            "tests/models/test_ablations.py::test_maps_that_refine_features",
            "tests/models/test_tiles.py",
            "--deselect=tests/models/test_tiles.py::test_equal_to_whole_ones_at_4096_positions",
        ],
    ),
    "store": ("artifacts/store.py", ["tests/artifacts/test_store.py"]),
    "rounds": ("artifacts/rounds.py", ["tests/artifacts/test_store.py"]),
    "manifest": ("datasets/manifest.py", ["tests/datasets/test_manifest.py"]),
    "review": ("review/*.py", ["tests/review"]),
    "plan": ("engines/plan.py", ["tests/engines/test_plan.py", "tests/engines/test_states.py"]),
    "states": ("engines/states.py", ["tests/engines/test_states.py"]),
}
"""Name -> files below src/auxseg, and what pytest gets. Tests that only start programs would cost time for nothing."""
COLUMNS = ("file", "digest", "line", "column", "before", "after", "outcome", "test")
BROKEN, INVALID = 254, 255
"""Exit codes of a mutant's process; 0 = survived, others = 1 + position of the test that failed."""


class Tests:
    """A plugin of pytest: runs the tests once, then the mutants."""

    def __init__(self, files: list[Path], results: Path, again: bool, jobs: int, slowest: float):
        self.files, self.results, self.again, self.jobs, self.slowest = files, results, again, jobs, slowest
        self.screen = os.fdopen(os.dup(1), "w", buffering=1)  # pytest captures the other one
        self.seconds: dict[pytest.Function, float] = {}
        self.running: dict[int, tuple[Mutant, list[pytest.Function]]] = {}
        self.covering: dict[tuple[str, int], set[pytest.Function]] = defaultdict(set)

    def pytest_configure(self) -> None:
        """Let hypothesis stop at the first failing example, on a busy machine too."""
        from hypothesis import HealthCheck, Phase, settings

        settings.register_profile(
            "mutants", settings.get_profile("suite"), phases=[Phase.explicit, Phase.generate], max_examples=20,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run in place of pytest's own loop."""
        if session.testsfailed:
            return True
        warnings.simplefilter("ignore")  # pytest's own filters are set by a hook that runtestprotocol does not call
        self._learn(session.items)
        known = {tuple(row[name] for name in COLUMNS[:6]): row["outcome"] for row in read_rows(self.results)}
        for file in self.files:
            functions_of(str(file))  # once, before the forks
            self._start(control(file), file)
            for mutant in mutants(file):
                if known.get(mutant.key) in ((None, "survived", "invalid") if self.again else (None,)):
                    self._start(mutant, file)
        while self.running:
            self._finish()
        return True

    def _learn(self, items: list[Any]) -> None:
        wanted = {str(file) for file in self.files}
        for item, following in zip(items, [*items[1:], None], strict=True):

            def line(frame: FrameType, event: str, _: Any, item: Any = item) -> Any:
                self.covering[frame.f_code.co_filename, frame.f_lineno].add(item)
                return line

            def call(frame: FrameType, event: str, argument: Any, line: Callable[..., Any] = line) -> Any:
                return line if frame.f_code.co_filename in wanted else None

            before = sum(os.times()[:4])
            sys.settrace(call)
            reports = runtestprotocol(item, log=False, nextitem=following)
            sys.settrace(None)
            spent = sum(os.times()[:4]) - before
            if all(report.passed for report in reports) and spent < self.slowest:
                self.seconds[item] = spent
            else:
                why = next((report.longreprtext.splitlines()[0] for report in reports if report.failed), "slow")
                self.screen.write(f"not used: {item.nodeid} ({spent:.1f} s): {why}\n")
        self.screen.write(f"{len(self.seconds)} tests, {sum(self.seconds.values()):.0f} s of CPU\n")

    def _start(self, mutant: Mutant, file: Path) -> None:
        path = str(file)
        if mutant.after and any(isinstance(node, FUNCTIONS) for node in mutant.place):
            keys = [(path, line) for line in lines_of(mutant)]
        else:
            keys = [key for key in self.covering if key[0] == path]
        covering = set().union(*(self.covering.get(key, ()) for key in keys))
        items = sorted((one for one in covering if one in self.seconds), key=lambda item: self.seconds[item])
        if not items:
            self._write(mutant, "survived", "no test runs this line")
            return
        while len(self.running) >= self.jobs:
            self._finish()
        process = os.fork()
        if not process:
            os._exit(self._child(mutant, file, items))
        self.running[process] = mutant, items

    def _child(self, mutant: Mutant, file: Path, items: list[pytest.Function]) -> int:
        limit = int(5 + 10 * sum(self.seconds[item] for item in items))
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(600)
        name = ".".join(["auxseg", *file.relative_to(SOURCE).with_suffix("").parts])
        try:
            install(mutant, sys.modules[name])
        except NoMutantError:
            return INVALID
        except ImportError:
            return 1
        except BaseException:
            traceback.print_exc(file=self.screen)
            return BROKEN
        for index, (item, following) in enumerate(zip(items, [*items[1:], None], strict=True)):
            item._initrequest()
            if not all(report.passed for report in runtestprotocol(item, log=False, nextitem=following)):
                return min(1 + index, BROKEN - 1)
        return 0

    def _finish(self) -> None:
        process, status = os.wait()
        if process not in self.running:
            return
        mutant, items = self.running.pop(process)
        if os.WIFSIGNALED(status):
            return self._write(mutant, "timed out", "")
        code = os.WEXITSTATUS(status)
        if code == BROKEN or (not mutant.after and code):
            raise SystemExit(
                f"{mutant.file}: tests fail without a change, or a change cannot be made: a fault of this tool"
            )
        outcome = {0: "survived", INVALID: "invalid"}.get(code, "killed")
        self._write(mutant, outcome, items[code - 1].nodeid if outcome == "killed" else "")

    def _write(self, mutant: Mutant, outcome: str, test: str) -> None:
        if not mutant.after:
            return
        with self.results.open("a", newline="") as file:
            csv.writer(file).writerow([*mutant.key, outcome, test])
        if outcome != "killed":
            change = f"{mutant.before} -> {mutant.after}"
            self.screen.write(f"{mutant.file}:{mutant.line}: {outcome}: {change} {test}\n")


def read_rows(results: Path) -> list[dict[str, str]]:
    """Return the last row of every mutant of today's files."""
    if not results.exists():
        return []
    with results.open(newline="") as file:
        rows = {tuple(row[:6]): dict(zip(COLUMNS, row, strict=True)) for row in csv.reader(file)}
    return list(rows.values())


def table(results: Path, files: list[Path]) -> str:
    """Return the counts of every file, as a table in Markdown."""
    lines = ["| module | mutants | killed | timed out | survived | found |", "|---|---|---|---|---|---|"]
    for file in files:
        name, digest = file.relative_to(SOURCE).as_posix(), hashlib.sha256(file.read_bytes()).hexdigest()[:12]
        rows = [row for row in read_rows(results) if (row["file"], row["digest"]) == (name, digest)]
        count = Counter(row["outcome"] for row in rows)
        whole = sum(count.values()) - count["invalid"]
        if whole:
            found = f"{100 * (whole - count['survived']) / whole:.0f} %"
            cells = [f"`{name}`", whole, count["killed"], count["timed out"], count["survived"], found]
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def main() -> int:
    """Run the mutants of the named parts of TESTS."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="|".join(TESTS), help="default: all")
    parser.add_argument("--again", action="store_true", help="run the survivors again")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--slowest", type=float, default=12, help="seconds of CPU; slower tests are not used")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    parts = {name: TESTS[name] for name in arguments.parts or TESTS}
    files = [
        file for pattern, _ in parts.values() for file in sorted(SOURCE.glob(pattern)) if file.name != "__init__.py"
    ]
    selection = list(dict.fromkeys(argument for _, tests in parts.values() for argument in tests))
    arguments.results.parent.mkdir(exist_ok=True)
    plugin = Tests(files, arguments.results, arguments.again, arguments.jobs, arguments.slowest)
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        options = ["--tb=short", "--assert=plain", "-p", "no:cacheprovider", f"--basetemp={folder}/tests", "-q"]
        code = pytest.main([*options, *selection], plugins=[plugin])
    print(table(arguments.results, files))
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
