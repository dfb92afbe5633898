"""The commands of `auxseg` as a whole: help, errors and exit codes, the next step; `check` and `params render`."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from PIL import Image

from auxseg.cli.main import COMMANDS, main
from auxseg.errors import ResourceError

ROOT = Path(__file__).resolve().parents[2]


def test_an_empty_path_is_not_the_current_folder(project, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["export", "labels", "--round", "r1", "--to", ""])
    assert stop.value.code == 2
    assert "argument --to: expected a path, got nothing" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["use"], ["table"], ["record"], ["rounds", "3"], ["audit", "table"]])
def test_outside_the_root_every_command_says_so(project, command, monkeypatch, capsys):
    monkeypatch.chdir(project / "params")
    assert main(command) == 2
    assert capsys.readouterr() == (
        "",
        "error: dvc.yaml: no such file here; run auxseg in the project's root, the folder that holds it\n",
    )


BEFORE_THE_FIRST_RUN = [
    ["table"],
    ["predict", "--images", "params", "--to", "out"],
    ["predict", "--images", "params", "--to", "out", "--round", "r1"],
    ["export", "labels", "--to", "out"],
    ["export", "labels", "--to", "out", "--round", "r0"],
    ["export", "overlays", "--to", "out"],
    ["export", "cams", "--format", "psa", "--to", "out"],
    ["audit", "table"],
    ["audit", "diff", "--rounds", "r0", "r1"],
    ["audit", "diff", "HEAD"],
    ["audit", "fiftyone", "--to", "out"],
    ["export", "onnx", "--to", "out.onnx"],
    ["verdicts", "status"],
    ["corrections", "export", "--round", "r0", "--format", "labelme", "--worst", "5", "--to", "out"],
    ["corrections", "import", "params", "--round", "r0"],
    ["verify"],
    ["verify", "--deep"],
]


@pytest.mark.parametrize("command", BEFORE_THE_FIRST_RUN, ids=" ".join)
def test_before_the_first_run_the_run_is_the_advice(project, command, capsys):
    assert main(command) == 2
    nothing = "error: nothing has been run yet in this project, so there are no results; next: "
    assert capsys.readouterr() == ("", f"{nothing}auxseg run\n")
    values = Path("params.yaml").read_text()
    Path("params.yaml").write_text(values.replace("format: scenes", "format: folder"))
    assert main(command) == 2
    assert capsys.readouterr() == ("", f"{nothing}auxseg use PRESET --data FOLDER, then auxseg run\n")
    Path("params.local.yaml").write_text(f"data_root: {Path.cwd()}\n")
    assert main(command) == 2
    assert capsys.readouterr() == ("", f"{nothing}auxseg run\n")
    assert not Path("out").exists() and not Path("out.onnx").exists()


def test_after_a_part_of_a_run_the_missing_file_is_named(project, capsys):
    Path("dvc.lock").write_text("schema: '2.0'\nstages:\n  code:\n    cmd: x\n")  # no stage that makes a result
    assert main(["table"]) == 2
    assert capsys.readouterr().err.startswith("error: nothing has been run yet")
    Path("dvc.lock").write_text("schema: '2.0'\nstages:\n  prepare:\n    cmd: x\n")
    assert main(["table"]) == 2
    error = capsys.readouterr().err
    assert error == "error: data/summary/rounds.csv: no such file; `dvc pull` it, or run `auxseg run` first\n"


def test_in_an_empty_folder_every_command_says_where_to_go(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for command in BEFORE_THE_FIRST_RUN:
        assert main(command) == 2
        assert capsys.readouterr().err.startswith(
            "error: dvc.yaml: no such file here; run auxseg in the project's root"
        )


def test_a_duplicate_key_is_rejected_by_all(project, capsys):
    """Otherwise rendering would replace the first section's values by defaults."""
    before = Path("params.yaml").read_text() + "train: {}\n"
    Path("params.yaml").write_text(before)
    for command in (["check"], ["params", "render"], ["rounds", "3"]):
        assert main(command) == 2
        assert "(key 'train' is already in line " in capsys.readouterr().err
        assert Path("params.yaml").read_text() == before


def test_check(project, capsys):
    assert main(["check"]) == 0
    assert capsys.readouterr().out == "params.yaml is valid\nnext: auxseg run\n"
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("rounds: {r1: r0, r2: r1}", "rounds: {1: 0, 2: 1}"))
    assert main(["check"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: params.yaml: key 'rounds': round 1 is not a string")
    assert error.count("\n") == 1
    # the page is found by the words of the message
    assert "**`round 1 is not a string`" in (ROOT / "docs/troubleshooting.md").read_text("utf-8")


def test_check_tells_how_to_add_keys_that_an_older_file_lacks(project, capsys):
    path = Path("params.yaml")
    complete = path.read_text()
    older = re.sub(r"(?m)^# paper: (?:.*\n)+?compatibility: paper\n", "", complete).replace(
        "cam_threshold: 0.2", "cam_threshold: 0.4"
    )
    path.write_text(older)
    for command in ("check", "run"):  # DVC would fail when it comes to the stage `classify`
        assert main([command]) == 2
        assert capsys.readouterr().err == (
            "error: params.yaml: key 'compatibility' is missing; `auxseg params render` adds missing keys with their "
            "defaults and keeps your values\n"
        )
    assert main(["params", "render"]) == main(["check"]) == 0
    assert path.read_text() == complete.replace("cam_threshold: 0.2", "cam_threshold: 0.4")
    shape = ("rounds: {r1: r0}", "label_rounds: [r0, r1]", 'shards: ["00"]', "data: {format: scenes}")
    path.write_text("\n".join(shape))
    assert main(["check"]) == 2
    assert "key 'audit' is missing (and 13 more)" in capsys.readouterr().err


def test_what_the_machine_lacks_is_no_rejection(project, monkeypatch):
    """Exit code 1: another attempt may succeed; 2 would say that it cannot."""

    def starve() -> None:
        raise ResourceError("a worker process was killed")

    monkeypatch.setattr("auxseg.cli.scan.scan_root", starve)
    assert main(["scan"]) == 1


def test_a_folder_where_a_file_was_expected_is_one_line(project, capsys):
    for command in (["check", "params"], ["params", "render", "params"], ["verdicts", "import", "params"]):
        assert main(command) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: params: a folder, but a file is expected") and error.count("\n") == 1


def test_params_render_brings_a_file_up_to_date(project):
    wanted = Path("params.yaml").read_text()
    text = "".join(line for line in wanted.splitlines(True) if "prior_weight" not in line)
    Path("params.yaml").write_text(text)
    assert main(["params", "render"]) == 0
    assert Path("params.yaml").read_text() == wanted


def test_help_loads_nothing_heavy():
    program = "import sys; from auxseg.cli.main import build_parser; build_parser().format_help(); print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert not {"torch", "dvc", "numpy", "pydantic", "yaml", "ruamel"} & set(result.stdout.split())


def last_line(capsys) -> str:
    return capsys.readouterr().out.splitlines()[-1]


def test_every_command_ends_with_the_next_step(project, tmp_path_factory, capsys):
    assert main(["check"]) == 0
    assert last_line(capsys) == "next: auxseg run"
    assert main(["check", "params/presets/smoke.yaml"]) == 0
    assert last_line(capsys) == "next: auxseg use smoke"
    assert main(["rounds", "3"]) == 0
    assert last_line(capsys) == "next: auxseg run (older rounds are not run again)"
    assert main(["shards", "3"]) == 0
    assert last_line(capsys) == "next: auxseg run (every stage runs again)"
    assert main(["shards", "3"]) == 0
    assert last_line(capsys) == "next: auxseg run"
    assert main(["use"]) == 0
    assert last_line(capsys).startswith("next: auxseg use PRESET --data FOLDER")
    assert main(["use", "demo"]) == 0
    assert last_line(capsys) == "next: auxseg run"
    assert main(["use", "mine"]) == 0
    assert last_line(capsys) == "next: auxseg use mine --data FOLDER, or set AUXSEG_DATA and run auxseg scan"


def test_what_is_missing_of_a_data_set_is_an_error(project, tmp_path_factory, capsys):
    root = tmp_path_factory.mktemp("set")
    assert main(["use", "mine", "--data", str(root)]) == 2
    assert capsys.readouterr().err.startswith(
        f"error: {root}/images and {root}/image_labels.csv: missing; add them, or name the folder that has "
        "them, as in `auxseg use PRESET --data FOLDER`; then run `auxseg scan`"
    )
    (root / "images").mkdir()
    assert main(["scan"]) == 2
    assert capsys.readouterr().err.startswith(
        f"error: {root}/image_labels.csv: missing; add it, or correct data.labels_file in "
    )
    (root / "image_labels.csv").write_text("image_id,labels\n")
    assert main(["scan"]) == 2
    assert "no row has a label" in capsys.readouterr().err
    Image.new("RGB", (4, 4)).save(root / "images/a.jpg")
    (root / "image_labels.csv").write_text("image_id,labels\na,cat\n")
    assert main(["scan"]) == 0
    assert last_line(capsys) == "next: auxseg run"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_module_and_a_help(name, capsys):
    module, text = COMMANDS[name]
    assert text
    if module:
        assert callable(import_module(f"auxseg.cli.{module}").run)
    with pytest.raises(SystemExit) as stop:
        main([*name.split(), "--help"])
    assert stop.value.code == 0
    assert f"usage: auxseg {name} [-h]" in " ".join(capsys.readouterr().out.split())
