"""The guard on rounds that the real stages made: sound ones, and one that a learning rate far too high has spoilt."""

import dataclasses
import shutil

import pytest
import tiny
from odd_sets import Case, instances, run_instances, run_stages, several

from auxseg.artifacts.rounds import Round
from auxseg.audit.scripts import read_data_script
from auxseg.guard.record import Judgement

R2 = Round(2)
PLAIN = {"crop": 64, "jitter": [0.0, 0.0, 0.0, 0.0]}
TRAIN = [("cat", "train"), ("dog", "train"), ("cat dog", "train"), ("", "train")] * 3
LEARNABLE = Case(
    several(*TRAIN, ("cat", "val"), ("dog", "val")),
    {
        "rounds": {"r1": "r0", "r2": "r1"},
        "label_rounds": ["r0", "r1", "r2"],
        "backbone": {"output_stride": 8},
        "classify": {"epochs": None, "steps": 80, "dropout": 0.0, "optimiser": {"lr": 0.05}, "augment": PLAIN},
        "train": {
            "epochs": None,
            "steps": 80,
            "dropout": 0.0,
            "optimiser": {"lr": 0.02, "new_layers": 5.0, "clip_norm": 5.0},
            "augment": PLAIN,
        },
    },
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory, load_stage):
    return run_stages(tmp_path_factory.mktemp("sound"), LEARNABLE, load_stage)


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory, sound, load_stage):
    """The same run, whose second round is trained at ten times the rate of the first, and for fewer steps."""
    folder = tmp_path_factory.mktemp("spoilt")
    for name in ("raw", "project"):
        shutil.copytree(sound.folder.parent / name, folder / name)
    run = dataclasses.replace(sound, folder=folder / "project", warnings=[])
    tiny.edit_params(run.folder, "train", later_rate=10.0, steps=20)
    later = [one for one in instances({"r1": "r0", "r2": "r1"}) if one[1] == "r2" or one[0] in ("summary", "audit")]
    run_instances(run, load_stage, later)
    return run


def judgement(run):
    return Judgement.read(run.store.judgement(R2))


def shown(run):
    """What the first screen of the report shows of the guard."""
    base = read_data_script(run.store.report / "index/base.js")
    return base["warnings"], base["slips"], base["best"]


def test_sound_rounds_raise_no_alarm(sound):
    assert not sound.stopped
    figures = [sound.figures(round_) for round_ in sound.rounds]
    assert judgement(sound).good and judgement(sound).best == "r2"
    assert "worse than" not in "".join(sound.warnings) and "warning: " not in sound.printed
    assert shown(sound)[0] == [] and shown(sound)[2] == "r2"
    assert all(one["lost"] == 0 and one["tag_precision"] > 0.9 for one in figures)
    assert figures[2]["loss"] < figures[1]["loss"] and figures[2]["confidence"] > 0.8
    labels = {row["round"]: float(row["miou"]) for row in sound.table("rounds") if row["what"] == "labels"}
    assert min(labels.values()) > 70


def test_a_spoilt_round_is_warned_of_everywhere(sound, spoilt):
    assert not spoilt.stopped
    found, before = judgement(spoilt), sound.figures(Round(1))
    assert not found.good and found.best == "r1"
    assert "the training ended with a loss of " in found.warning
    assert spoilt.figures(R2)["loss"] > 3 * before["loss"]
    assert found.warning in spoilt.warnings and f"warning: {found.warning}" in spoilt.printed
    assert shown(spoilt)[0] == [found.warning] and shown(spoilt)[2] == "r1"
    (row,) = [row for row in spoilt.table("guard") if row["round"] == "r2"]
    assert (row["good"], row["best"], row["warning"]) == ("no", "r1", found.warning)
    assert "loss " in row["slipped"]
    models = [
        float(row["miou"])
        for run in (sound, spoilt)
        for row in run.table("rounds")
        if (row["round"], row["what"]) == ("r2", "model+ms+crf")
    ]
    assert models[1] < models[0] - 10  # the alarm is right


def test_figures_a_little_worse_are_noted_without_alarm(sound):
    """Whichever they are in these rounds: log, table and report show the same lines."""
    notes = [line for line in sound.warnings if "is not clearly worse, but some figures are: " in line]
    assert notes
    assert [f"{note}." for note in notes] == shown(sound)[1]
    assert [f"note: {note}" for note in notes] == [line for line in sound.printed.splitlines() if "not clearly" in line]
    slipped = {row["round"]: row["slipped"] for row in sound.table("guard")}
    assert [f"round {name[1:]}" for name, text in slipped.items() if text] == [note[:7] for note in notes]
