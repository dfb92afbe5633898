"""`auxseg audit table`: rounds side by side."""

import default_params
import pytest

from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import write_rows
from auxseg.cli.audit_table import format_table
from auxseg.cli.main import main

ROWS = [
    {"round": "r0", "class": "background", "iou": "80.05", "pixels": "1200"},
    {"round": "r0", "class": "red fox", "iou": "", "pixels": "7"},
    {"round": "r10", "class": "background", "iou": "81", "pixels": "1300"},
    {"round": "r10", "class": "red fox", "iou": "12.34", "pixels": "0"},
]


def test_rounds_side_by_side():
    assert format_table(ROWS, "pixels").splitlines() == [
        "pixels                r0         r10",
        "background          1200        1300",
        "red fox                7           0",
    ]
    assert [line.split()[-2:] for line in format_table(ROWS, "iou").splitlines()[1:]] == [["80.0", "81"], ["-", "12.3"]]


@pytest.mark.parametrize(("arguments", "figure"), [([], "iou"), (["pixels"], "pixels")])
def test_the_command_prints_the_figure_of_labels_csv(tmp_path, monkeypatch, capsys, arguments, figure):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").touch()
    write_rows(Store().table("labels.csv"), ROWS, tuple(ROWS[0]))
    assert main(["audit", "table", *arguments]) == 0
    assert capsys.readouterr().out == format_table(ROWS, figure)


def test_before_the_first_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "params.yaml").write_text(default_params.TEXT)
    assert main(["audit", "table", "recall"]) == 2
    assert capsys.readouterr().err.startswith("error: nothing has been run yet")
