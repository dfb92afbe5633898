"""A tiny project with the real stages: ten images in the VOC layout, one round, two shards, a small network."""

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from auxseg.cli.main import main
from auxseg.datasets.scan import scan, write_raw
from auxseg.datasets.scenes import SCENES_CLASSES, write_scenes
from auxseg.params.data import ScenesParams

ROOT = Path(__file__).resolve().parents[2]

PARAMS = {
    "rounds": {"r1": "r0"},
    "label_rounds": ["r0", "r1"],
    "shards": ["00", "01"],
    "compatibility": "paper",
    "runtime": {"threads": 1, "precision": "float32"},
    "data": {"format": "voc", "classes": list(SCENES_CLASSES)},
    "saliency": {"superpixels": 40},
    "backbone": {"name": "resnet18", "weights": "random"},
    "classify": {"epochs": 1, "batch_size": 4, "augment": {"crop": 64, "resize_long": [64, 80]}},
    "cam": {"scales": [1.0]},
    "network": {"channels": 8},
    "train": {"epochs": 1, "augment": {"crop": 64, "scale": [0.7, 1.3]}},
    "evaluate": {"scales": [1.0], "flip": False},
    **{section: {} for section in ("labels", "review", "guard", "propagate", "audit")},  # DVC wants every section there
}


def make_data(folder: Path) -> Path:
    """Write the images: a data root in the VOC layout, of the embedded scenes."""
    write_scenes(folder, ScenesParams(train=10, val=3, side=64))
    return folder


def make_project(folder: Path, data: Path | None = None) -> Path:
    """Write a project that never ran, in git and under DVC, with this checkout's code and DAG; `data` is scanned."""
    for path in ("src", "workflow", "params", "review", ".dvc/plots"):
        shutil.copytree(ROOT / path, folder / path, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for path in (
        "Snakefile",
        "dvc.yaml",
        "data/raw.yaml",
        ".dvcignore",
        ".gitignore",
        ".dvc/config",
        ".dvc/.gitignore",
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS, sort_keys=False))
    if data:
        write_raw(folder / "data/raw.yaml", scan(data))
    run(folder, "git", "init", "-q")
    run(folder, "git", "add", "-A")
    run(folder, "git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "new")
    return folder


def environment(folder: Path, data: Path | None = None) -> dict[str, str]:
    """Return the variables of a command that runs a project's own code, on `data`."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(folder / "src")}
    return variables | ({"AUXSEG_DATA": str(data)} if data else {})


def run(folder: Path, *command: str, data: Path | None = None, code: int = 0) -> str:
    """Run a command and return all it printed; fail with that unless it exits with `code`."""
    variables = environment(folder, data)
    done = subprocess.run(
        command, cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == code, f"{command} exited with {done.returncode}\n{done.stdout}"
    return done.stdout


def auxseg(folder: Path, *arguments: str, data: Path | None = None) -> str:
    """Run a command of auxseg that works on files alone, in this process, and return what it prints."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.chdir(folder)
        if data:
            patch.setenv("AUXSEG_DATA", str(data))
        assert main(arguments) == 0, printed.getvalue()
    return printed.getvalue()


def repro(folder: Path, data: Path, *targets: str) -> set[str]:
    """Run `dvc repro` and return the instances whose command it executed."""
    return set(re.findall(r"Running stage '(.+?)':", run(folder, "dvc", "repro", *targets, data=data)))


def status(folder: Path) -> str:
    """Return what `dvc status` prints, without line ends around it."""
    return run(folder, "dvc", "status").strip()


def stale(folder: Path) -> set[str]:
    """Return the instances that DVC calls changed; those that only need one of them are not among them."""
    return set(json.loads(run(folder, "dvc", "status", "--json")))


def shown_plots(folder: Path) -> dict[str, list[dict]]:
    """Return the points of each plot of `dvc plots show` that has any."""
    shown = json.loads(run(folder, "dvc", "plots", "show", "--json"))["data"]
    return {title: plots[0]["content"]["data"]["values"] for title, plots in shown.items() if plots}


def edit_params(folder: Path, section: str, **values) -> None:
    """Change values of a section of params.yaml."""
    path = folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    params.setdefault(section, {}).update(values)
    path.write_text(yaml.safe_dump(params, sort_keys=False))


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file under data/, by relative path."""
    files = sorted(path for path in (folder / "data").rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
