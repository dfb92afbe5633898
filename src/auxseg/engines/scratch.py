"""Run one instance of a stage again in a folder of its own, and compare what it writes byte by byte."""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from auxseg.artifacts.atomic import own_files, sha256_file
from auxseg.engines.dvc_internals import PipelineStage, is_params
from auxseg.params.local import SCENES_ROOT
from auxseg.pipeline.rejection import VARIABLE

NOT_LINKED = ("data", "logs")
"""Folders that the other folder has of its own; hidden ones, such as checkpoints, are not linked either."""


def run_again(stage: PipelineStage, environment: dict[str, str]) -> list[str]:
    """Run a stage instance beside the project, on links to its inputs; return what differs, in one line each.

    The folder has links to everything in the project's root but `data`, and in `data` only the declared inputs (and the
    embedded scenes). Nothing in the project is written.

    Args:
        stage: the instance.
        environment: variables that replace those of this process.
    """
    project = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="auxseg-verify-") as name:
        scratch = Path(name)
        for path in _linked(stage, project):
            (scratch / path).parent.mkdir(parents=True, exist_ok=True)
            (scratch / path).symlink_to(project / path)
        # stages call `python`, which must be this one even if the virtual environment is not activated
        search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        variables = {**os.environ, "PATH": search, "DVC_STAGE": stage.addressing, **environment}
        variables.pop(VARIABLE, None)
        done = subprocess.run(shlex.split(stage.cmd), cwd=scratch, env=variables, stdout=subprocess.DEVNULL)
        if done.returncode:
            return [f"{stage.addressing}: ended with exit code {done.returncode}, see above"]
        return [line for output in stage.outs for line in _differences(stage, output.def_path, scratch, project)]


def _linked(stage: PipelineStage, project: Path) -> Iterator[Path]:
    for entry in sorted(project.iterdir()):
        if not entry.name.startswith(".") and entry.name not in NOT_LINKED:
            yield Path(entry.name)
    inputs = {Path(item.def_path) for item in stage.deps if not is_params(item)}
    if SCENES_ROOT.exists():
        inputs.add(SCENES_ROOT)
    # an input in a linked folder is there already
    yield from sorted(path for path in inputs if path.parts[0] in NOT_LINKED and inputs.isdisjoint(path.parents))


def _differences(stage: PipelineStage, output: str, scratch: Path, project: Path) -> Iterator[str]:
    again, before = (
        {file.relative_to(base): file for file in own_files(base / output) if file.is_file()}
        for base in (scratch, project)
    )
    for name in sorted(again.keys() | before.keys()):
        if name not in again or name not in before:
            yield f"{name}: {stage.addressing} run again {'does not write it' if name in before else 'writes it too'}"
        elif sha256_file(again[name]) != sha256_file(before[name]):
            yield f"{name}: other bytes when {stage.addressing} runs again"
