"""The stage in a project folder of its own, as a program where that matters."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.atomic import write_json
from auxseg.datasets.manifest import ClassTable, ImageRecord, read_shards, write_manifest
from auxseg.datasets.scan import content_sha256
from auxseg.encoded import decode_indices
from auxseg.errors import DataError
from auxseg.params.presets import read_preset
from auxseg.pipeline.stage import Stage

PROJECT = Path(__file__).resolve().parents[2]
SHARDS = ["00", "01"]


@pytest.fixture
def project(tmp_path):
    """A project with two shards, six images (two of them val) and their maps in `maps`."""
    root, work = tmp_path / "raw", tmp_path / "work"
    (root / "photos").mkdir(parents=True)
    (root / "maps").mkdir()
    records = []
    for index in range(6):
        rng = np.random.default_rng(index)
        rgb = rng.integers(0, 60, (40, 56 + index, 3), np.uint8)
        rgb[10:30, 15:40] += 150
        path = root / f"photos/p{index}.png"
        Image.fromarray(rgb).save(path)
        Image.fromarray(rng.integers(0, 256, rgb.shape[:2], np.uint8)).save(root / f"maps/p{index}.png")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        split = "val" if index > 3 else "train"
        records.append(ImageRecord(f"p{index}", f"photos/p{index}.png", 56 + index, 40, split, ("box",), digest))
    write_manifest(work / "data/manifest", records, ClassTable(("box",), (1,)), SHARDS)
    write_json(
        work / "data/manifest/dataset.json",
        {"format": "folder", "unlisted": "error", "scenes": None},
    )
    shutil.copy(PROJECT / "dvc.yaml", work)
    configure(work, provider="boundary", superpixels=60)
    return work


def configure(work, **saliency):
    values = read_preset(PROJECT / "params/presets/demo.yaml")
    values |= {"shards": SHARDS, "saliency": saliency, "runtime": {"threads": 1, "precision": "float32"}}
    (work / "params.yaml").write_text(yaml.safe_dump(values))


def run(work, shard, **environment):
    script = PROJECT / "workflow/stages/saliency.py"
    return subprocess.run(
        [sys.executable, script, "--shard", shard],
        cwd=work,
        # errors alone: stages also say how far the run is
        env=os.environ | {"AUXSEG_DATA": str(work.parent / "raw"), "AUXSEG_LOG": "ERROR"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def here(project, load_stage, monkeypatch):
    """Return a function that runs the stage on a shard in this process."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("AUXSEG_DATA", str(project.parent / "raw"))
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)
    return lambda shard: load_stage("saliency").main(Stage("saliency", shard=shard))


def records_of(work, shard):
    return read_shards(work / f"data/manifest/{split}/{shard}.csv" for split in ("train", "val"))


def output(work, shard):
    return work / f"data/saliency/{shard}.zip"


def test_every_image_of_the_shard(project):
    members = []
    for shard in SHARDS:
        result = run(project, shard)
        assert result.returncode == 0, result.stderr
        records = records_of(project, shard)
        archive = Archive(output(project, shard))
        assert list(archive) == [f"{record.id}.png" for record in records]
        for record in records:
            found = decode_indices(archive[f"{record.id}.png"])
            assert found.dtype == np.uint8 and found.shape == (record.height, record.width)
            assert found[12:28, 17:38].mean() > 150 + found[:4].mean()
        members += archive
        assert "images by boundary" in (project / f"logs/saliency/{shard}.log").read_text()
    assert sorted(members) == [f"p{index}.png" for index in range(6)]


def test_bytes_do_not_depend_on_the_environment(project):
    contents = []
    for threads in ("1", "4"):
        assert run(project, "00", OMP_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads).returncode == 0
        contents.append(output(project, "00").read_bytes())
    assert contents[0] == contents[1]


def test_u2netp(project, here):
    configure(project, provider="u2netp")
    here("01")
    for name, content in Archive(output(project, "01")).items():
        found = decode_indices(content)
        assert found[12:28, 17:38].mean() > 150 + found[:4].mean(), name


def test_precomputed_maps_pass_through(project, here):
    maps = project.parent / "raw/maps"
    configure(project, provider="precomputed", path="maps", sha256=content_sha256(maps, "path", "root"))
    here("00")
    archive = Archive(output(project, "00"))
    assert len(archive) > 0
    for name, content in archive.items():
        np.testing.assert_array_equal(
            decode_indices(content), np.asarray(Image.open(project.parent / "raw/maps" / name))
        )


def test_a_missing_map_is_rejected_and_nothing_written(project, here):
    last, maps = records_of(project, "00")[-1].id, project.parent / "raw/maps"
    (maps / f"{last}.png").unlink()
    configure(project, provider="precomputed", path="maps", sha256=content_sha256(maps, "path", "root"))
    with pytest.raises(DataError, match=rf"maps/{last}\.png: no such saliency map; add it") as error:
        here("00")
    assert "\n" not in str(error.value)
    assert not list(project.glob("data/saliency/*")) and not list(project.glob("data/saliency/.*"))


def test_a_damaged_image_is_rejected_from_a_worker(project):
    first = records_of(project, "00")[0]
    path = project.parent / "raw" / first.path
    path.write_bytes(path.read_bytes()[:500])
    result = run(project, "00")
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1 and f"{first.path}: truncated" in result.stderr
    assert not list(project.glob("data/saliency/*"))
