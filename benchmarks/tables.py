"""Reproduce the papers' tables: run missing experiments one after the other, and collect their figures.

    python benchmarks/tables.py table3 table4 --base scenes --seeds 0 1 2
    python benchmarks/tables.py table4/cross-task --base voc6 --data FOLDER
    python benchmarks/tables.py --collect

Experiments are files of overrides in experiments/ (docs/experiments.md). Each runs in a clone of this repository's HEAD
below --work; all clones share this project's DVC cache, so nothing is computed twice. Its figures are written to
benchmarks/tables.csv as soon as they are known, and an experiment that has them is not run again unless its parameters
have changed. So a killed run continues with the first missing one. At the end, the tables in docs/experiments.md
and docs/quality.md are updated. An experiment that fails is reported with its log, and the others continue.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from clones import head, is_dirty
from experiment_files import FOLDER, Experiment, build, read_base, read_table
from tables_results import keep, kept, read_results, update_page
from tables_run import Bench

from auxseg.errors import EXIT_FAILED, EXIT_REJECTED, AuxsegError, ParamsError
from auxseg.params.local import data_root

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path("benchmarks/tables.csv")
PAGES = Path("docs/experiments.md"), Path("docs/quality.md")
CODE = ("src", "workflow", "dvc.yaml")


def main() -> int:
    """Run and collect in the project of this file; return the exit code."""
    arguments = _parser().parse_args()
    os.chdir(ROOT)
    try:
        failed = [] if arguments.collect else run_missing(arguments)
        tables = {path.stem: read_table(path.stem) for path in FOLDER.glob("*.yaml")}
        bases = {path.stem: read_base(path.stem) for path in (FOLDER / "bases").glob("*.yaml")}
        if not arguments.list:
            for page in filter(Path.is_file, PAGES):
                update_page(page, tables, bases, read_results(RESULTS))
    except AuxsegError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_REJECTED
    return EXIT_FAILED if failed else 0


def run_missing(arguments: argparse.Namespace) -> list[Experiment]:
    """Run every chosen experiment that has no figures yet; return those that failed."""
    base = read_base(arguments.base)
    chosen = choose(arguments.tables, arguments.base, arguments.seeds)
    data = _data(chosen[0], arguments.data)
    bench = Bench(ROOT, head(ROOT), arguments.work.resolve(), data)
    if not arguments.list and is_dirty(ROOT, *CODE):
        print(f"note: changes below {', '.join(CODE)} are not committed, and not run", flush=True)
    failed = []
    for experiment in chosen:
        label = f"{experiment.name} on {experiment.base}, seed {experiment.seed}"
        found = kept(read_results(RESULTS), experiment)
        needs = read_table(experiment.table).rows[experiment.row].needs
        if found and found[0]["experiment"] == experiment.name:
            print(f"{label}: kept, made at {found[0]['commit']}", flush=True)
        elif found:
            print(f"{label}: the same as {found[0]['experiment']}", flush=True)
            if not arguments.list:
                keep(RESULTS, experiment, found)
        elif needs and (data is None or not (data / needs).is_dir()):
            print(f"{label}: left out, the data root has no folder '{needs}'", flush=True)
        elif arguments.list:
            print(f"{label}: missing", flush=True)
        elif not _run(bench, experiment, base.hold_out, label, arguments.keep):
            failed.append(experiment)
    return failed


def choose(names: list[str], base: str, seeds: list[int]) -> list[Experiment]:
    """Return the validated experiments of tables (`table4`) and rows (`table4/none`), one seed after the other."""
    pairs = []
    for name in names:
        table, _, row = name.partition("/")
        pairs += [(table, one) for one in ([row] if row else read_table(table).rows)]
    if not pairs:
        raise ParamsError(f"name a table: {', '.join(sorted(path.stem for path in FOLDER.glob('*.yaml')))}")
    return [build(table, row, base, seed) for seed in seeds for table, row in dict.fromkeys(pairs)]


def _run(bench: Bench, experiment: Experiment, hold_out: int, label: str, keep_clone: bool) -> bool:
    print(f"{label}: running, log in {bench.log(experiment)}", flush=True)
    try:
        rows = bench.run(experiment, hold_out)
    except subprocess.CalledProcessError:
        print(f"{label}: failed\n{_tail(bench.log(experiment))}", file=sys.stderr, flush=True)
        return False
    keep(RESULTS, experiment, [{**row, "commit": bench.commit[:10]} for row in rows])
    if not keep_clone:
        bench.clear(experiment)
    print(f"{label}: {rows[0]['minutes']} minutes", flush=True)
    return True


def _tail(log: Path) -> str:
    return "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-5:])


def _data(experiment: Experiment, given: Path | None) -> Path | None:
    data_format = experiment.values["data"]["format"]
    if data_format == "scenes":
        return None
    return (given or data_root(data_format)).resolve()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", metavar="TABLE", help="a file of experiments/, or one row: TABLE/ROW")
    parser.add_argument("--base", default="scenes", help="a file of experiments/bases/")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="data root; default: the project's")
    parser.add_argument("--work", type=Path, default=ROOT / ".auxseg/tables", metavar="FOLDER", help="for the clones")
    parser.add_argument("--keep", action="store_true", help="leave the clones, with all artifacts")
    parser.add_argument("--list", action="store_true", help="say what is kept and what is missing; run nothing")
    parser.add_argument("--collect", action="store_true", help="only update the tables in experiments.md, quality.md")
    return parser


if __name__ == "__main__":
    sys.exit(main())
