"""`auxseg table`: figures, the guard's warnings, and where the results are."""

from pathlib import Path

import pytest
import small_project
import yaml
from small_project import judge

from auxseg.cli.main import main
from auxseg.cli.table import format_label_table, format_table

ROWS = [
    {
        "round": "r0",
        "what": "labels",
        "set": "train",
        "images": "300",
        "miou": "57.4",
        "precision": "88.81",
        "recall": "61.9",
    },
    {"round": "r1", "what": "labels", "set": "train", "images": "300", "miou": "58", "precision": "80", "recall": "60"},
    {"round": "r1", "what": "model", "set": "val", "images": "1", "miou": "", "precision": "", "recall": ""},
    {
        "round": "r1",
        "what": "model+ms+crf",
        "set": "val",
        "images": "1",
        "miou": "54.51",
        "precision": "70",
        "recall": "60",
    },
]
SUMMARY = Path("data/summary")
HEADER = "round,what,set,images,miou,precision,recall\n"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """Two trainings, a report, labels and weights."""
    monkeypatch.chdir(tmp_path)
    Path("dvc.yaml").touch()
    rounds = {"rounds": {"r1": "r0", "r2": "r1"}, "label_rounds": ["r0", "r1", "r2"]}
    Path("params.yaml").write_text(yaml.safe_dump({**small_project.PARAMS, **rounds}))
    for path in (
        "data/audit/index.html",
        "data/labels/r0/00.zip",
        "data/models/r1.safetensors",
        SUMMARY / "rounds.csv",
    ):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(HEADER + "".join(f"r{number},labels,train,14,50,60,70\n" for number in range(3)))
    Path("data/models/r2.safetensors").touch()


def test_the_format():
    assert format_table(ROWS) == (
        "per cent                                        images    mIoU   precision   recall\n"
        "initial labels (train)                             300    57.4        88.8     61.9\n"
        "labels after round 1 (train)                       300    58.0        80.0     60.0\n"
        "model of round 1 (val), single scale                 1       -           -        -\n"
        "model of round 1 (val), multi-scale + CRF            1    54.5        70.0     60.0\n"
    )
    assert "no masks" in format_table([])


def test_without_a_summary_it_is_one_line(capsys):
    (SUMMARY / "rounds.csv").unlink()
    assert main(["table"]) == 2
    assert capsys.readouterr().err.startswith("error: data/summary/rounds.csv: no such file")


def test_the_last_lines_are_where_the_results_are(capsys):
    assert main(["table"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[-3:]] == [
        ["report", "data/audit/index.html"],
        ["labels", "data/labels/<round>/<shard>.zip"],
        ["model", "data/models/r2.safetensors"],
    ]
    assert "auxseg predict --images" in lines[-1]
    assert not any("round:" in line or "warning" in line for line in lines)  # no guard has judged


def test_a_worse_round_is_marked_and_explained(capsys):
    for name in ("r0", "r1"):
        judge(name, best=name)
    judge("r2", best="r1", reasons=("Cat vanishes", "more is ignored"), advice=("Train longer.",))
    assert main(["table"]) == 0
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line.endswith("  worse")] == [
        "labels after round 2 (train)                        14    50.0        60.0     70.0  worse"
    ]
    assert (
        "\nwarning: round 2 is worse than round 1: Cat vanishes; more is ignored. Train longer.\nbest round: r1\n"
        in out
    )
    assert out.splitlines()[-1].startswith("model   data/models/r1.safetensors")


def test_no_good_round_has_no_model(capsys):
    judge("r1", best="r0", reasons=("all is background",))
    judge("r2", best="r0", reasons=("all is background",))
    assert main(["table"]) == 0
    out = capsys.readouterr().out
    assert "warning: round 1 is worse than the initial labels: all is background.\n" in out
    assert "best round: r0, the initial labels\n" in out
    assert out.splitlines()[-1] == "model   none: no round is better than the initial labels, which have no network"


def test_without_masks_the_labels_have_figures_all_the_same(capsys):
    (SUMMARY / "rounds.csv").write_text(HEADER)
    (SUMMARY / "labels_by_round.csv").write_text(
        "round,class,images,pixels,share,ignore_share,components,precision,recall,iou\n"
        "r0,all,60,1000,70.1,29.9,2.25,,,\nr1,all,59,1200,84,16,1.5,,,\n"
    )
    judge("r2", best="r2")
    assert main(["table"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "no masks, so no mIoU; what can be measured without them:",
        "labels                                          images   ignored %   regions per image",
        "initial labels (train)                              60        29.9                 2.2",
        "labels after round 1 (train)                        59        16.0                 1.5",
    ]
    assert "best round: r2" in lines


def test_a_worse_round_is_marked_without_masks_too():
    row = {"round": "r1", "images": "3", "ignore_share": "", "components": ""}
    assert format_label_table([row], {"r1"}).splitlines()[-1].endswith("  worse")


def test_labels_corrected_by_hand_are_said_to_be_more_supervision(capsys):
    assert main(["table"]) == 0
    assert "by hand" not in capsys.readouterr().out  # a project of a version without corrections
    header = "round,corrected,images,share\n"
    Path(SUMMARY / "corrections.csv").write_text(header)
    assert main(["table"]) == 0
    assert "by hand" not in capsys.readouterr().out
    Path(SUMMARY / "corrections.csv").write_text(header + "r1,10,1000,1\nr2,12,1000,1.2\n")
    assert main(["table"]) == 0
    assert (
        "\ncorrected by hand: 10 of 1000 labels of r1; so from round 2 on, the figures no longer come from image-level "
        "labels alone\n" in capsys.readouterr().out
    )  # r2 is the last round: no network is trained on its labels
    Path(SUMMARY / "corrections.csv").write_text(header + "r2,12,1000,1.2\n")
    assert main(["table"]) == 0
    assert "by hand" not in capsys.readouterr().out
