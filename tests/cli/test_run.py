"""`auxseg run`, with a program in DVC's place: what is passed on, and how it ends."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import small_project
import yaml

from auxseg.cli import run
from auxseg.cli.main import main
from auxseg.cli.run import without_hints
from auxseg.params.template import render

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = """\
Running stage 'prepare':
> python workflow/stages/prepare.py

a stage's own line
Updating lock file 'dvc.lock'

To track the changes with git, run:

\tgit add dvc.lock

To enable auto staging, run:

\tdvc config core.autostage true
Use `dvc push` to send your updates to remote storage.
"""


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "dvc.yaml", ".")
    Path("params.yaml").write_text(render(small_project.PARAMS))
    Path("data/summary").mkdir(parents=True)
    Path("data/summary/rounds.csv").write_text("round,what,set,miou,precision,recall\nr0,labels,train,50,60,70\n")


def fake_dvc(monkeypatch, program: str) -> None:
    Path("fake_dvc.py").write_text(program)
    monkeypatch.setattr(run, "DVC", (sys.executable, "fake_dvc.py"))


def test_the_command_is_dvc_of_this_python():
    assert list(run.DVC) == [sys.executable, "-m", "auxseg.engines.repro"]


def test_hints_and_the_empty_lines_around_them_are_left_out():
    shown = b"".join(without_hints(OUTPUT.encode().splitlines(keepends=True))).decode()
    assert shown == OUTPUT.split("\nTo track")[0]
    plain = ["one\n", "\n", "\n", "  indented\n", "\n"]
    assert "".join(line.decode() for line in without_hints(line.encode() for line in plain)) == "".join(plain)


def test_output_of_another_command_after_a_hint_is_kept():
    lines = [b"To track the changes with git, run:\n", b"\n", b"\tgit add dvc.lock\n", b"\n", b"what follows\n"]
    assert list(without_hints(lines)) == [b"what follows\n"]


def test_the_table_comes_last_and_targets_are_passed_on(monkeypatch, capfd):
    fake_dvc(
        monkeypatch, f"import sys\nprint(sys.argv[1:])\nprint({OUTPUT!r}, end='')\nprint('bar', file=sys.stderr)\n"
    )
    Path("data/labels").mkdir()
    assert main(["run", "labels", "train@r1", "summary"]) == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert lines[0] == "['labels', 'train@r1', 'summary']"
    assert "git add" not in out and "dvc push" not in out and "a stage's own line" in lines
    assert "initial labels (train)" in out and lines[-1].startswith("labels  data/labels/")
    assert err == "bar\n"


def test_the_table_of_an_earlier_run_is_not_shown(monkeypatch, capfd):
    fake_dvc(monkeypatch, "")
    assert main(["run", "labels"]) == 0
    assert capfd.readouterr().out == "next: auxseg run, which runs the other stages too\n"


def test_stages_find_this_python_first(monkeypatch, capfd):
    fake_dvc(monkeypatch, "import os\nprint(os.environ['PATH'].split(os.pathsep)[0])\n")
    assert main(["run"]) == 0
    assert capfd.readouterr().out.splitlines()[0] == str(Path(sys.executable).parent)


def test_without_a_data_root_nothing_is_started(monkeypatch, capfd):
    fake_dvc(monkeypatch, "print('started')")
    monkeypatch.delenv("AUXSEG_DATA", raising=False)
    shutil.rmtree("data/summary")
    assert main(["run"]) == 2
    expected = "error: no data root: set AUXSEG_DATA=FOLDER, or `auxseg use PRESET --data FOLDER`"
    out, error = capfd.readouterr()
    assert out == "" and error.startswith(expected)
    Path("data/manifest").mkdir()  # results of another machine need no images
    assert main(["run"]) == 0
    assert "started" in capfd.readouterr().out


def test_a_failure_keeps_dvcs_exit_code_and_says_how_to_go_on(monkeypatch, capfd):
    fake_dvc(monkeypatch, "import sys\nprint('ERROR: failed', file=sys.stderr)\nsys.exit(255)\n")
    assert main(["run", "labels"]) == 255
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "ERROR: failed",
        "error: dvc repro failed, see above (exit code 255); `auxseg run labels` continues from there",
    ]


def test_wrong_parameters_start_nothing(monkeypatch, capfd):
    fake_dvc(monkeypatch, "print('started')\n")
    Path("params.yaml").write_text(yaml.safe_dump({**small_project.PARAMS, "trian": {}}))
    assert main(["run"]) == 2
    out, err = capfd.readouterr()
    assert out == "" and "unknown key 'trian'" in err


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("label", "label: no such stage; did you mean 'labels'?"),
        ("trian@r1", "trian@r1: no such stage; did you mean 'train'?"),
        ("train@r2", "train@r2: no such instance of a stage; did you mean 'train@r1'?"),
        ("labels@r1", "labels@r1: no such instance of a stage; did you mean 'labels@r1-00'?"),
        ("summary@r1", "summary@r1: no such instance of a stage; did you mean 'summary'?"),
    ],
)
def test_a_typo_of_a_stage_starts_nothing(target, message, monkeypatch, capfd):
    fake_dvc(monkeypatch, "print('started')\n")
    assert main(["run", "prepare", target]) == 2
    assert capfd.readouterr() == ("", f"error: {message}\n")


def test_a_path_or_a_file_of_stages_is_left_to_dvc(monkeypatch, capfd):
    fake_dvc(monkeypatch, "import sys\nprint(sys.argv[1:])\n")
    assert main(["run", "data/audit", "dvc.yaml:labels", "dvc.yaml", "guard@r1"]) == 0
    assert capfd.readouterr().out.startswith("['data/audit', 'dvc.yaml:labels', 'dvc.yaml', 'guard@r1']\n")


def test_without_a_summary_the_next_step_is_said(monkeypatch, capfd):
    fake_dvc(monkeypatch, "print('done')\n")
    Path("data/summary/rounds.csv").unlink()
    assert main(["run", "prepare"]) == 0
    assert capfd.readouterr().out == "done\nnext: auxseg run, which runs the other stages too\n"


SLEEPER = """\
import signal, subprocess, sys
signal.signal(signal.SIGTERM, lambda *_: stage.terminate())
stage = subprocess.Popen([sys.executable, '-c', '''
import signal, sys, time
def end(number, frame):
    print("stage ends by", number, flush=True)
    sys.exit(1)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, end)
print("stage runs", flush=True)
time.sleep(60)
'''])
sys.exit(255 if stage.wait() else 0)
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_reaches_the_stage_as_sigterm_and_is_waited_for(number, code):
    Path("fake_dvc.py").write_text(SLEEPER)
    program = (
        "import sys; from auxseg.cli import main, run; run.DVC = (sys.executable, 'fake_dvc.py'); "
        "sys.exit(main.main(['run']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ,
        # of a suite that was itself started in the background, SIGINT is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout.readline() == "stage runs\n"  # lines come at once, not at the end
    started = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "stage ends by 15\n")
    assert err == "stopped; `auxseg run` continues from there\n" and time.monotonic() - started < 30
