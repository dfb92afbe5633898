"""`auxseg verify`: is every artifact and image what was recorded, and does every label follow from its maps?

Reads everything and changes nothing. Artifacts are compared with dvc.lock and the manifest, images and masks with the
hashes in the manifest, and every pseudo label with the fusion of its stored maps.
"""

import argparse
import secrets
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.cli.arguments import whole_number
from auxseg.cli.next_step import REPRO, print_next, require_run
from auxseg.counts import are, counted
from auxseg.datasets.by_shard import map_by_shard
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import read_mask_hashes
from auxseg.datasets.masks import Masks
from auxseg.durations import duration
from auxseg.engines.recorded import Recorded, compare_with_lock
from auxseg.engines.scratch import run_again
from auxseg.errors import EXIT_FAILED, AuxsegError, ParamsError, shorten
from auxseg.findings import Findings
from auxseg.params.labels import LabelsParams
from auxseg.params.local import data_root
from auxseg.params.section import suggest
from auxseg.pipeline.declaration import LOCK_FILE
from auxseg.verification.images import IMAGE, LABEL, MASK, ImageChecks
from auxseg.verification.members import compare_members

MOST = 2**32 - 1
"""The largest seed."""
SHOWN = 12
"""Number of files or instances that a line names."""
KINDS = {
    IMAGE: "images that are not those of the manifest",
    MASK: "masks that are not those of the list of masks",
    LABEL: "labels that do not follow from their stored maps",
}
OTHERWISE = "maps that cannot belong to their image"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the deep check and its seed."""
    parser.description = (
        f"{__doc__} Exit code: 0 if everything is as recorded, 1 if something differs or the run is not finished, 2 if "
        "nothing has been run."
    )
    parser.add_argument(
        "--deep",
        nargs="*",
        metavar="STAGE",
        help="also run a random instance of every stage, or of these, in a folder of its own, and compare the bytes",
    )
    parser.add_argument("--seed", type=whole_number(MOST), metavar="N", help="chooses the instances of --deep")


def run(arguments: argparse.Namespace) -> int:
    """Check everything, print what differs and what would run again; return 1 if anything differs or never ran."""
    require_run()
    started, found = time.monotonic(), Findings()
    recorded = compare_with_lock()
    print(
        f"{LOCK_FILE}: {counted(len(recorded.sections), 'stage instance')}; {counted(recorded.files, 'file')} hashed",
        flush=True,
    )
    unfinished = recorded.unfinished
    if unfinished:
        some = f"{len(unfinished)} of {counted(len(recorded.needed), 'stage instance')} {are(len(unfinished))}"
        print(
            f"the run is not finished: {some} not recorded yet: {shorten(unfinished, SHOWN)}; the others are checked",
            flush=True,
        )
    _note_recorded(recorded, found)
    bad = _check_data(recorded, found)
    if arguments.deep is not None:
        bad |= _run_deep(recorded, bad, arguments.deep, arguments.seed, found)
    print(f"checked in {duration(time.monotonic() - started)}")
    if not found.found:
        print("every artifact is what was recorded, every image what the manifest says")
        if unfinished:
            print_next(f"{REPRO}, which finishes the run")
        return EXIT_FAILED if unfinished else 0
    print(*found.lines(shown=None), sep="\n")
    again = [address for address in recorded.would_run(bad) if address not in unfinished]
    all_recorded = counted(len(recorded.sections), "recorded stage instance")
    print(f"to run again: {len(again)} of {all_recorded}: {shorten(again, SHOWN)}")
    _print_advice(recorded, bad)
    return EXIT_FAILED


def _note_recorded(recorded: Recorded, found: Findings) -> None:
    lines = []
    for one in recorded.wrong:
        copy = f"; its copy in DVC's cache, {one.damaged_copy}, is damaged too" if one.damaged_copy else ""
        lines.append(f"{one.path}: {one.what} ({one.writer or 'no stage'} writes it){copy}")
    found.add(f"artifacts that are not those of {LOCK_FILE}", lines)
    found.add(
        "stage instances whose results do not belong to the present inputs",
        (f"{address}: {change}" for address, change in recorded.outdated.items()),
    )


def _check_data(recorded: Recorded, found: Findings) -> set[str]:
    """Compare archives, images and labels with the manifest and the maps; return the instances that made wrong ones."""
    store, writers = Store(), recorded.writers()
    dataset, skip = Dataset(store), frozenset(Path(one.path) for one in recorded.wrong)
    if "prepare" not in recorded.sections or any(path.is_relative_to(store.manifest) for path in skip):
        return set()  # there is nothing to compare with
    try:
        rules = {
            (Round.parse(name), shard): LabelsParams.of(recorded.sections[address])
            for shard in dataset.shards
            for address, name in _label_instances(recorded, shard)
        }
        rounds = sorted({one for one, _ in rules})
        wrong = list(compare_members(dataset, rounds, skip))
        found.add("archives with other images than the manifest", (line for _, line in wrong))
        lists = dataset.every_shard(store.mask_list).values()
        skip |= {path for path, _ in wrong if path.suffix != ".csv"}
        checks = ImageChecks(dataset, Masks.of(dataset), read_mask_hashes(lists), rules, skip)
        records = dataset.records()
        problems = [one for many in map_by_shard(checks, records, dataset.shards, "verify") for one in many]
    except AuxsegError as error:
        found.add("data sets that cannot be opened", [str(error)])
        return set()
    labels = sum(record.split == "train" for record in records) * len(rounds)
    made = f"{counted(labels, 'label')} of {counted(len(rounds), 'round')} made again"
    print(f"manifest: {counted(len(records), 'image')}; {made}", flush=True)
    for problem in problems:
        found.add(KINDS.get(problem.about, OTHERWISE), [problem.line])
    paths = [path for path, _ in wrong] + [one.path for one in problems]
    return {writers.get(path.as_posix(), "prepare") for path in paths}


def _label_instances(recorded: Recorded, shard: str) -> list[tuple[str, str]]:
    """Return address and round of the recorded instances of `labels` of a shard."""
    found = []
    for address in recorded.sections:
        stage, _, key = address.partition("@")
        name, _, of = key.rpartition("-")
        if stage == "labels" and of == shard:
            found.append((address, name))
    return found


def _run_deep(recorded: Recorded, bad: set[str], only: Sequence[str], seed: int | None, found: Findings) -> set[str]:
    """Run one instance of each stage again, and return those that write other bytes.

    Only instances whose inputs and outputs are as recorded are chosen, because others cannot give the same bytes.
    """
    stale = set(recorded.would_run(bad))
    by_stage: dict[str, list[int]] = {}
    stages = list(recorded.needed)
    for number, stage in enumerate(stages):
        by_stage.setdefault(stage.addressing.partition("@")[0], []).append(number)
    for name in only:
        if name not in by_stage:
            raise ParamsError(f"--deep {name}: no such stage; {suggest(name, list(by_stage), 'stages')}")
    seed = secrets.randbelow(MOST) + 1 if seed is None else seed
    print(f"--deep with --seed {seed}", flush=True)
    random, different = np.random.default_rng(seed), set()
    for name, numbers in by_stage.items():
        chosen = stages[numbers[int(random.integers(len(numbers)))]]  # drawn for every stage: `only` changes no draw
        if only and name not in only:
            continue
        if chosen.addressing in stale:
            print(f"  {chosen.addressing}: not run, because it is not up to date", flush=True)
            continue
        started = time.monotonic()
        lines = run_again(chosen, _environment(recorded))
        result = "the same bytes" if not lines else counted(len(lines), "difference")
        print(f"  {chosen.addressing}: {result}, {duration(time.monotonic() - started)}", flush=True)
        found.add("results that another run does not repeat", lines)
        different |= {chosen.addressing} if lines else set()
    return different


def _environment(recorded: Recorded) -> dict[str, str]:
    """Return the variables of a stage in another folder: a relative data root has to stay the same one."""
    data_format = recorded.sections["prepare"]["data"].get("format", "") if "prepare" in recorded.sections else ""
    root = {} if data_format in ("", "scenes") else {"AUXSEG_DATA": str(data_root(data_format).resolve())}
    return {"AUXSEG_LOG": "WARNING", **root}


def _print_advice(recorded: Recorded, bad: set[str]) -> None:
    """Print a line for each kind of difference that has a fix of its own."""
    changed = [one.path for one in recorded.wrong if one.what != "missing"]
    if changed := [*changed, *(str(one.damaged_copy) for one in recorded.wrong if one.damaged_copy)]:
        files = shorten(changed, SHOWN)
        print_next(f"remove {files}; then `{REPRO}` restores them from DVC's cache, or makes them again")
    if forced := sorted(bad - {"prepare"} - {one.writer for one in recorded.wrong}):
        print_next(f"`dvc repro --force --single-item {' '.join(forced[:SHOWN])}`, then `{REPRO}`")
    if "prepare" in bad:
        print_next(f"put the files back, or `auxseg scan` to accept them, then `{REPRO}`")
    if not (changed or bad):
        print_next(REPRO)
