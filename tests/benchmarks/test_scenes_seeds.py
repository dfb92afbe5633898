"""A seed's file is completed: what it has is not run again."""

import pytest
import scenes_seeds

from auxseg.artifacts.tables import read_csv
from auxseg.params.dag import read_params

PIPELINE = [
    {"round": "r1", "what": what, "set": "val", "miou": 50.0, "precision": 60.0, "recall": 70.0}
    for what in ("labels", "model", "model+ms+crf")
]
SUPERVISED = [
    {"round": "", "what": "fully supervised, single scale", "set": "val", "miou": 62.6, "precision": "", "recall": ""}
]


@pytest.fixture
def ran(monkeypatch):
    """Stand-ins for the two runs; the list names those that were called."""
    names = []
    for name, rows in (("run_pipeline", PIPELINE), ("run_supervised", SUPERVISED)):
        monkeypatch.setattr(scenes_seeds, name, lambda *_, name=name, rows=rows: names.append(name) or rows)
    return names


def test_only_what_is_missing_is_run(tmp_path, ran, monkeypatch):
    target = tmp_path / "seed7.csv"
    scenes_seeds.run_missing(7, tmp_path / "clone", target)
    assert ran == ["run_pipeline", "run_supervised"]
    whole = target.read_text()
    assert [row["seed"] for row in read_csv(target)] == ["7"] * 4

    scenes_seeds.run_missing(7, tmp_path / "clone", target)
    assert ran == ["run_pipeline", "run_supervised"]

    lines = whole.splitlines(keepends=True)
    target.write_text("".join(lines[:-1]))
    scenes_seeds.run_missing(7, tmp_path / "clone", target)
    assert ran[2:] == ["run_supervised"]
    assert target.read_text() == whole

    target.write_text(lines[0] + lines[-1])
    scenes_seeds.run_missing(7, tmp_path / "clone", target)
    assert ran[3:] == ["run_pipeline"]
    assert target.read_text() == whole


def test_a_killed_run_keeps_the_pipelines_figures(tmp_path, ran, monkeypatch):
    def killed(seed, folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(scenes_seeds, "run_supervised", killed)
    with pytest.raises(KeyboardInterrupt):
        scenes_seeds.run_missing(7, tmp_path / "clone", tmp_path / "seed7.csv")
    assert [row["what"] for row in read_csv(tmp_path / "seed7.csv")] == ["labels", "model", "model+ms+crf"]


def test_steps_change_the_demo_and_train_nothing_on_masks(tmp_path, ran, monkeypatch):
    monkeypatch.setattr(scenes_seeds, "clone", lambda root, folder, commit: folder.mkdir())
    monkeypatch.setattr(scenes_seeds, "head", lambda root: "")
    scenes_seeds.run_missing(7, tmp_path / "clone", tmp_path / "seed7.csv", "auxseg-best")
    assert ran == ["run_pipeline"]
    scenes_seeds.project(7, tmp_path / "clone", "auxseg-best")
    params = read_params(tmp_path / "clone/params.yaml")
    assert params["data"]["scenes"]["seed"] == params["train"]["seed"] == 7
    assert params["labels"]["background_threshold"] == 0.4  # auxseg-best's
    assert params["train"]["epochs"] == 10  # the demo's 5, as much longer as auxseg-best's 6 than voc6's 3
    assert params["train"]["frozen_layers"] == 4  # the demo's
