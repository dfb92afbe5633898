"""A seed's file is completed: what it has is not run again."""

import pytest
import scenes_seeds

from auxseg.artifacts.tables import read_csv

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
        monkeypatch.setattr(scenes_seeds, name, lambda seed, folder, name=name, rows=rows: names.append(name) or rows)
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
