"""The data root of a manifest; scenes come back wherever they are missing."""

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from auxseg.datasets import root
from auxseg.datasets.root import ensure_scenes, mask_policy, photos_root
from auxseg.errors import DataError, ParamsError
from auxseg.params.data import ScenesParams

SMALL = ScenesParams(train=2, val=1, side=64)


def manifest(folder: Path, **values) -> Path:
    folder.mkdir(exist_ok=True)
    dataset = {"format": "voc", "scenes": None, "unlisted": "ignore", **values}
    file = folder / "dataset.json"
    file.write_text(json.dumps(dataset))
    return file


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AUXSEG_DATA", raising=False)


def test_root_of_this_machine(tmp_path, monkeypatch):
    dataset = manifest(tmp_path / "manifest")
    with pytest.raises(ParamsError, match="no data root: set AUXSEG_DATA"):
        photos_root(dataset)
    monkeypatch.setenv("AUXSEG_DATA", str(tmp_path))
    assert photos_root(dataset) == tmp_path
    assert mask_policy(dataset) == "ignore"


def test_scenes_are_generated_once_and_again_when_lost_or_other(tmp_path):
    dataset = manifest(tmp_path / "manifest", format="scenes", scenes=SMALL.model_dump())
    made = photos_root(dataset)
    assert made == Path("data/scenes")
    first, stamp = files(made), (made / "made_with.json").stat().st_mtime_ns
    photos_root(dataset)
    assert (made / "made_with.json").stat().st_mtime_ns == stamp
    (made / "made_with.json").unlink()
    photos_root(dataset)
    assert files(made) == first
    ensure_scenes(SMALL.model_copy(update={"seed": 5}))
    assert files(made) != first
    assert files(photos_root(dataset)) == first


def test_another_generator_makes_them_again(monkeypatch):
    made = ensure_scenes(SMALL)
    (made / "old").touch()
    monkeypatch.setattr(root, "_generator_hash", lambda: "newer")
    assert not (ensure_scenes(SMALL) / "old").exists()


def test_half_made_scenes_are_not_taken_for_scenes(monkeypatch):
    def crash(folder, params):
        (folder / "JPEGImages").mkdir()
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("auxseg.datasets.scenes.write_scenes", crash)
        with pytest.raises(RuntimeError):
            ensure_scenes(SMALL)
    assert not Path("data/scenes").exists()
    assert (ensure_scenes(SMALL) / "JPEGImages").is_dir()


def test_stages_that_start_side_by_side_share_one_copy(tmp_path):
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, mp_context=context) as pool:
        stamps = list(pool.map(_make, [str(tmp_path)] * 3))
    assert len(set(stamps)) == 1


def _make(folder: str) -> int:
    path = ensure_scenes(SMALL, Path(folder) / "data/scenes")
    return (path / "made_with.json").stat().st_mtime_ns


def test_missing_manifest(tmp_path):
    with pytest.raises(DataError, match=r"dataset\.json: not readable .*run the stage prepare again"):
        photos_root(tmp_path / "dataset.json")
