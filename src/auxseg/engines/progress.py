"""Progress of a run of the pipeline: the line that a stage logs when it starts.

    stage 7 of 22: train@r1, about 4 min; about 12 min left in all

DVC runs the stage instances one after the other and tells none of them about the others, so each works this out
itself. It reads params.yaml, dvc.yaml, dvc.lock, logs/times.csv, the manifest, and which outputs exist. These are not
in the stage's `deps`, so no result may depend on this module; it only writes to the log. `stage.run` imports it by
name, so it is not part of a stage's fingerprint and an edit re-runs nothing.
"""

import hashlib
import re
from pathlib import Path
from typing import Any

import yaml

from auxseg.durations import duration
from auxseg.engines.estimates import Estimates
from auxseg.pipeline.declaration import LOCK_FILE, Declaration, fill, read_stages
from auxseg.pipeline.graph import readers
from auxseg.pipeline.instances import Instance, instances

MOST_INSTANCES = 5000
"""Above this number of instances no line is logged, because it would delay every stage by more than 0.3 s."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def position_line(values: dict[str, Any], stage: str, key: str) -> str:
    """Return the line of a stage instance that starts now, or "" if there are too many instances.

    Times assume that instances run one after the other. Unknown times are left out.

    Args:
        values: the content of params.yaml.
        stage: the stage's name in dvc.yaml.
        key: the instance's key, such as `r1-00`.
    """
    listed = instances(values)
    if len(listed) > MOST_INSTANCES:
        return ""
    running = next(index for index, one in enumerate(listed) if (one.stage, one.key) == (stage, key))
    left = remaining(listed, running, values)
    line = f"stage {len(listed) - len(left) + 1} of {len(listed)}: {listed[running].address}"
    estimates = Estimates(values)
    own = estimates.seconds(listed[running])
    if own is None:
        return line
    line += f", about {duration(own)}"
    others = [estimates.seconds(listed[index]) for index in left if index != running]
    known = [seconds for seconds in others if seconds is not None]
    if not known or len(known) < len(others):
        return line
    return f"{line}; about {duration(own + sum(known))} left in all"


def remaining(listed: list[Instance], running: int, values: dict[str, Any]) -> set[int]:
    """Return the positions in `listed` of what is left to do: the running instance, those with a missing output, those
    whose parameters or code differ from dvc.lock, and all that need one of them."""
    stages = read_stages()
    declared = [fill(stages[one.stage], one.template) for one in listed]
    found = {running}
    found.update(_incomplete(declared))
    found.update(_changed(listed, declared, values))
    edges, waiting = readers(declared), list(found)
    while waiting:
        new = edges[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def _incomplete(declared: list[Declaration]) -> list[int]:
    """Return the instances with a missing output."""
    names: dict[str, set[str]] = {}
    found = []
    for index, one in enumerate(declared):
        for path in one.outputs:
            folder, _, name = path.rpartition("/")
            if folder not in names:  # list each folder once, because thousands of lookups take seconds over NFS
                names[folder] = {entry.name for entry in Path(folder).iterdir()} if Path(folder).is_dir() else set()
            if name not in names[folder]:
                found.append(index)
    return found


def _changed(listed: list[Instance], declared: list[Declaration], values: dict[str, Any]) -> list[int]:
    """Return the instances whose parameters or code differ from dvc.lock.

    Without this, after a change of a threshold, the first of several shards would not count the others.
    """
    if not LOCK_FILE.exists() or (values.get("pipeline") or {}).get("record") == "controller":
        return []  # a controller records all results when it ends, so dvc.lock is out of date until then
    lock = _Lock(LOCK_FILE.read_text("utf-8"), values)
    pairs = zip(listed, declared, strict=True)
    return [index for index, (one, declaration) in enumerate(pairs) if not lock.has(one.address, declaration.sections)]


class _Lock:
    """The entries of dvc.lock, found as text, because parsing the YAML of thousands of instances takes many seconds."""

    def __init__(self, text: str, values: dict[str, Any]):
        pieces = re.split(r"^  (\S.*):\n", text, flags=re.MULTILINE)
        self._entries = dict(zip(pieces[1::2], pieces[2::2], strict=True))
        self._values = _plain(values)
        self._same: dict[tuple[str, frozenset[str]], bool] = {}
        self._code: dict[str, str] = {}

    def has(self, address: str, sections: frozenset[str]) -> bool:
        """Tell whether an instance's entry has the present values of these sections and the stage's present code."""
        if address not in self._entries:
            return False
        entry = self._entries[address].partition("    outs:\n")[0]
        code = re.search(r"- path: (data/code/\S+)\n.*\n +md5: (\S+)", entry)
        if code and self._md5(code[1]) != code[2]:
            return False
        block = re.search(r"^    params:\n((?: {6}.*\n)*)", entry, re.MULTILINE)
        return self._has_params(block[1] if block else "", sections)

    def _has_params(self, block: str, sections: frozenset[str]) -> bool:
        if (block, sections) not in self._same:  # all instances of a stage have the same
            recorded = (yaml.load(block, _LOADER) or {}).get("params.yaml", {})
            current = {section: self._values.get(section) for section in sections}
            self._same[block, sections] = _plain(recorded) == current
        return self._same[block, sections]

    def _md5(self, path: str) -> str:
        if path not in self._code:
            self._code[path] = hashlib.md5(Path(path).read_bytes()).hexdigest() if Path(path).exists() else ""
        return self._code[path]


def _plain(value: Any) -> Any:
    """Return a YAML value in which equal numbers compare equal; PyYAML reads DVC's 1e-05 as a string."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str) and re.fullmatch(r"[-+]?[\d.]+e[-+]?\d+", value, re.IGNORECASE):
        return float(value)
    return value
