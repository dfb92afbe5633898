"""A small project with the real Snakefile, rules and `code` stage, and stages that write one line each."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import default_params

from auxseg.engines.plan import make_plan

ROOT = Path(__file__).resolve().parents[2]

DVC_YAML = """\
stages:
  code:
    cmd: python workflow/stages/fingerprints.py
    deps: [src/auxseg, workflow/stages]
    outs: [data/code/prepare.txt, data/code/labels.txt, data/code/train.txt, data/code/summary.txt]
    meta: {cpus: 1, needs: "${rounds.r1}"}
  prepare:
    cmd: python workflow/stages/prepare.py data/manifest.txt
    deps: [data/code/prepare.txt, data/raw.yaml]
    params: [data]
    outs: [data/manifest.txt]
  labels:
    matrix: {round: "${label_rounds}", shard: "${shards}"}
    cmd: python workflow/stages/labels.py data/labels/${item.round}/${item.shard}.zip
    deps: [data/code/labels.txt, data/manifest.txt]
    params: [labels]
    outs: ["data/labels/${item.round}/${item.shard}.zip"]
    meta: {cpus: 2, mem_mb: 100, runtime: 5}
  train:
    foreach: ${rounds}
    do:
      cmd: python workflow/stages/train.py data/models/${key}.txt
      deps: [data/code/train.txt, "data/labels/${item}"]
      params: [train]
      outs: ["data/models/${key}.txt"]
      meta: {gpu: 1, cpus: 1, mem_mb: 200, runtime: 9}
  summary:
    cmd: python workflow/stages/summary.py data/summary.txt
    deps: [data/code/summary.txt, data/models]
    outs: [data/summary.txt]
"""

SCRIPT = '''\
"""Write a line, and note that it ran."""
import os, pathlib, sys

def never():
    from auxseg.{module} import anything

if os.environ.get("FAIL") in ("{stage}", os.environ.get("DVC_STAGE")):
    sys.exit("no luck today")
output = pathlib.Path(sys.argv[1])
output.parent.mkdir(parents=True, exist_ok=True)
values = pathlib.Path("params.yaml").read_text().splitlines()
output.write_text("{stage} " + sys.argv[1] + str([v for v in values if v.split(":")[0].strip() == {knob!r}]))
with open("logs/ran.txt", "a") as log:
    log.write(os.environ["DVC_STAGE"] + "\\n")
'''

KNOBS = {"prepare": "format", "labels": "prior_weight", "train": "later_rate", "summary": "nothing"}
"""The parameter that each stage's output depends on."""

ALL = {"code", "prepare", "labels@r0-00", "labels@r0-01", "labels@r1-00", "labels@r1-01", "train@r1", "summary"}


def make_project(folder: Path) -> Path:
    """Write a project that never ran, in git and under DVC."""
    for path in ("workflow/rules", "workflow/profiles"):
        shutil.copytree(ROOT / path, folder / path)
    for path in ("Snakefile", "workflow/stages/fingerprints.py", ".dvcignore", ".dvc/config", ".dvc/.gitignore"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    text = default_params.TEXT.replace("rounds: {r1: r0, r2: r1}", "rounds: {r1: r0}").replace(
        "[r0, r1, r2]", "[r0, r1]"
    )
    files = {
        "dvc.yaml": DVC_YAML,
        "params.yaml": text,
        "data/raw.yaml": "files: 0\n",
        ".gitignore": "/data/*\n!/data/raw.yaml\n/logs\n/.snakemake\n__pycache__\n",
        "logs/.keep": "",
        "src/auxseg/__init__.py": '"""Top."""\n',
        "src/auxseg/shared.py": '"""Used by two."""\nanything = 1\n',
        "src/auxseg/trained.py": '"""Used by train."""\nfrom auxseg import shared\nanything = 2\n',
        "src/auxseg/unused.py": "anything = 3\n",
    }
    for stage, module in {
        "prepare": "shared",
        "labels": "shared",
        "train": "trained",
        "summary": "unused",
    }.items():
        files[f"workflow/stages/{stage}.py"] = SCRIPT.format(stage=stage, module=module, knob=KNOBS[stage])
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    run(folder, "git", "init", "-q")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    """Commit everything that git does not ignore."""
    run(folder, "git", "add", "-A")
    run(folder, "git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "state")


def share(folder: Path, url: str, **settings: str) -> None:
    """Make a remote the default, commit and push."""
    replace(folder, ".dvc/config", "[core]\n", "[core]\n    remote = store\n")
    with (folder / ".dvc/config").open("a") as stream:
        stream.write("['remote \"store\"']\n")
        stream.writelines(f"    {name} = {value}\n" for name, value in {"url": url, **settings}.items())
    commit(folder)
    dvc(folder, "push")


def clone(folder: Path, target: Path) -> Path:
    """Push a project's state to a shelf beside `target`, clone it there and pull; what `folder` has is committed."""
    share(folder, str(target.with_name("shelf")))
    run(folder, "git", "clone", "-q", str(folder), str(target))
    dvc(target, "pull")
    return target


def run(
    folder: Path, *command: str, environment: dict[str, str] | None = None, code: int = 0
) -> subprocess.CompletedProcess:
    """Run a command in the project; fail with what it printed unless it exits with `code`."""
    settings = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})}
    result = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False)
    assert result.returncode == code, f"{command}\n{result.stdout}\n{result.stderr}"
    return result


def dvc(folder: Path, *arguments: str, **options) -> subprocess.CompletedProcess:
    """Run dvc with this interpreter; the stages' `python` is the same one."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return run(folder, sys.executable, "-m", "dvc", *arguments, environment={"PATH": path}, **options)


def snakemake(folder: Path, *arguments: str, **options) -> subprocess.CompletedProcess:
    """Run snakemake with this interpreter, its folder not on PATH."""
    environment = {"PATH": os.defpath, **options.pop("environment", {})}
    return run(folder, sys.executable, "-m", "snakemake", *arguments, environment=environment, **options)


def replace(folder: Path, path: str, old: str, new: str) -> None:
    """Replace a part of a file, which must be there."""
    text = (folder / path).read_text()
    assert old in text
    (folder / path).write_text(text.replace(old, new))


def planned(folder: Path) -> set[str]:
    """Return the addresses of the jobs that a dry run announces."""
    found = set()
    for line in snakemake(folder, "-n").stdout.splitlines():
        if line.strip().startswith("output: .snakemake/dvc/"):
            stage, key = Path(line.split()[1]).parts[-2:]
            found.add(stage if key == "all" else f"{stage}@{key}")
    return found


def stale(folder: Path) -> set[str]:
    """Return the addresses that the plan of a dry run calls stale, made in this process."""
    with contextlib.chdir(folder):
        return {address for address, node in make_plan(dry=True).items() if node["stale"]}


def ran(folder: Path) -> list[str]:
    """Return the addresses of stages whose command ran since the last call; `code` is never among them."""
    log = folder / "logs/ran.txt"
    lines = log.read_text().split() if log.exists() else []
    log.unlink(missing_ok=True)
    return sorted(lines)
