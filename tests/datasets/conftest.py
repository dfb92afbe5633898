"""Tiny data sets on disk, and a project around them in which the real script of `prepare` runs."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from builders import THREE, lines, mask, photo

from auxseg.datasets.prepare import prepare
from auxseg.datasets.scan import scan, write_raw
from auxseg.params.data import DataParams

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    """Two train images and one val image in VOC's layout: classes cat (8), dog (12)."""
    root = tmp_path / "raw"
    for name, values in {"a": (8, 255), "b": (8, 12), "c": (12,)}.items():
        photo(root / "JPEGImages" / f"{name}.jpg")
        mask(root / "SegmentationClass" / f"{name}.png", values)
    lines(root / "ImageSets/Segmentation/train.txt", "a", "b")
    lines(root / "ImageSets/Segmentation/val.txt", "c")
    lines(root / "image_labels.csv", "image_id,labels", "a,cat", "b,cat dog", "c,dog")
    return root


@dataclass
class Project:
    """A scratch project: the repository's DAG and scripts, parameters and data root of its own."""

    root: Path
    data: Path

    def write(self, data: Mapping, shards: Sequence[str] = ("00", "01")) -> None:
        """Write params.yaml with a `data` section."""
        values = {"rounds": {"r1": "r0"}, "label_rounds": ["r0", "r1"], "shards": list(shards), "data": dict(data)}
        (self.root / "params.yaml").write_text(yaml.safe_dump(values))

    def prepare(self, workers: int = 1) -> subprocess.CompletedProcess[str]:
        """Run workflow/stages/prepare.py as DVC would after a scan, with at most `workers` CPUs to itself."""
        if self.data.is_dir():
            write_raw(self.root / "data/raw.yaml", scan(self.data))
        has_affinity = hasattr(os, "sched_getaffinity")  # not on macOS, where all CPUs are used
        all_cpus = sorted(os.sched_getaffinity(0)) if has_affinity else []
        cpus = random.sample(all_cpus, k=min(workers, len(all_cpus)))
        return subprocess.run(
            [sys.executable, "workflow/stages/prepare.py"],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
            # errors alone: stages also say how far the run is
            env={**os.environ, "AUXSEG_DATA": str(self.data), "AUXSEG_LOG": "ERROR"},
            preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if has_affinity else None,
        )

    def outputs(self) -> dict[str, bytes]:
        """Return what the stage wrote under data/, half-written files included."""
        found = (path for path in (self.root / "data").rglob("*") if path.is_file() and path.name != "raw.yaml")
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def project(tmp_path: Path) -> Callable[[Path], Project]:
    """Return a function from a data root to a scratch project."""

    def make(data: Path) -> Project:
        root = tmp_path / "project"
        shutil.copytree(REPOSITORY / "workflow", root / "workflow", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(REPOSITORY / "dvc.yaml", root)
        return Project(root, data)

    return make


@pytest.fixture
def compare(tmp_path, monkeypatch):
    """Return a function that runs `prepare` on images with tags and writes their masks by another function."""

    def prepared(rows, write_mask, **values):
        root = tmp_path / "raw"
        lines(root / "image_labels.csv", "image_id,labels,split", *(f"i{n},{';'.join(t)},train" for n, t in rows))
        for number, names in rows:
            photo(root / f"images/i{number}.png")
            write_mask(root / f"masks/i{number}.png", number, names)
        monkeypatch.setenv("AUXSEG_DATA", str(root))
        data = {"format": "folder", "classes": THREE, "folder": {"masks": "masks"}, **values}
        path = tmp_path / "out/contradictions.json"
        prepare(DataParams.parse(data), ["00"], tmp_path / "out/manifest", tmp_path / "out/masks", path)
        return json.loads(path.read_text())

    return prepared
