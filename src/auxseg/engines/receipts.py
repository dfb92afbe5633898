"""Receipts: a job that ran without DVC leaves one, so that the controller can record the result later.

A receipt has the command, the values of its parameters, and the MD5 (as DVC computes it) of every input before the
command ran and of every output after it. It is recorded only if all of that is still true.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

from ruamel.yaml import YAML

from auxseg.artifacts.atomic import finished, own_files, signature, write_json
from auxseg.engines.dvc_internals import run_cache_key
from auxseg.engines.md5 import file_md5
from auxseg.engines.plan_file import STATE, Task, split
from auxseg.params.dag import PARAMS_FILE

FOLDER = STATE / "dvc-receipts"


class Receipt(TypedDict):
    """One execution of a stage's command."""

    address: str
    cmd: str
    inputs: dict[str, str]
    """Path -> MD5; for a folder, DVC's hash of its listing."""
    params: dict[str, Any]
    """Section of params.yaml -> its values."""
    outputs: dict[str, str]
    files: list[tuple[str, int, int]]
    """`times` of the outputs that are files, taken before they were read."""


def receipt_path(address: str) -> Path:
    """Return the file of an instance's receipt."""
    return FOLDER / Path(*split(address)).with_suffix(".json")


def write_receipt(receipt: Receipt) -> None:
    """Write a receipt, atomically."""
    write_json(receipt_path(receipt["address"]), receipt)


def read_receipts() -> list[Receipt]:
    """Read all receipts, sorted by path."""
    return [_read(path) for path in finished(FOLDER, "*/*.json")]


def _read(path: Path) -> Receipt:
    receipt: Receipt = json.loads(path.read_text("utf-8"))
    receipt["files"] = [(path, size, mtime) for path, size, mtime in receipt["files"]]
    return receipt


def is_done(receipt: Receipt, outputs: list[str]) -> bool:
    """Tell whether a receipt with the same command, inputs and parameters exists and its outputs are unchanged.

    A batch system may start a job late, when the Snakemake that submitted it has ended and a later one has done the
    work.
    """
    path = receipt_path(receipt["address"])
    if not path.exists():
        return False
    found = _read(path)
    same = all(found[key] == receipt[key] for key in ("address", "cmd", "inputs", "params"))
    if not same or set(found["outputs"]) != set(outputs):
        return False
    return all(Path(output).exists() and digest(Path(output)) == md5 for output, md5 in found["outputs"].items())


def digest(path: Path, md5_of: Callable[[Path], str] = file_md5) -> str:
    """Return the MD5 of a file, or of a folder's listing followed by `.dir`, exactly as DVC records it.

    `md5_of` is asked for the MD5 of each file.

    Raises:
        FileNotFoundError: the path does not exist.
    """
    if not path.is_dir():
        return md5_of(path)
    names = sorted((file.relative_to(path).as_posix(), file) for file in own_files(path))
    listing = [{"md5": md5_of(file), "relpath": name} for name, file in names]
    return hashlib.md5(json.dumps(listing, sort_keys=True).encode()).hexdigest() + ".dir"


def times(paths: list[str]) -> list[tuple[str, int, int]]:
    """Return path, size and modification time (ns) of every file at or below the paths; a copied project keeps them."""
    return [(path, size, mtime) for path, size, mtime, _ in signature(paths)]


def read_sections(names: list[str]) -> dict[str, Any]:
    """Return the named sections of params.yaml, unchanged."""
    values = read_params_file()
    return {name: values.get(name) for name in names}


def read_params_file() -> dict[str, Any]:
    """Return params.yaml read as DVC does, as YAML 1.2, in which 1e-05 is a number."""
    values: dict[str, Any] = YAML(typ="safe").load(PARAMS_FILE.read_text("utf-8"))
    return values


def cache_key(receipt: Receipt, outputs: list[str]) -> str:
    """Return the key in DVC's run cache of this command with these inputs and parameters."""
    entry: dict[str, Any] = {"cmd": receipt["cmd"]}
    inputs = sorted(receipt["inputs"].items())
    entry["deps"] = [{"path": path, "hash": "md5", "md5": value} for path, value in inputs]
    if receipt["params"]:
        entry["params"] = {str(PARAMS_FILE): dict(sorted(receipt["params"].items()))}
    entry["outs"] = sorted(outputs)
    return run_cache_key(entry)


def before(address: str, task: Task) -> Receipt:
    """Return the receipt of a command that is about to run, without outputs."""
    return Receipt(
        address=address,
        cmd=task["cmd"],
        inputs={path: digest(Path(path)) for path in task["inputs"]},
        params=read_sections(task["params"]),
        outputs={},
        files=[],
    )
