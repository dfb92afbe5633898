"""`auxseg audit diff` in a DVC project with two commits, a remote, and labels on the disk that are newer than both."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from auxseg.artifacts.archive import write_archive
from auxseg.artifacts.tables import read_csv
from auxseg.cli.main import main
from auxseg.encoded import encode_label

DVC_YAML = """\
stages:
  labels:
    matrix: {round: [r0, r1]}
    cmd: mkdir -p data/labels/${item.round} && cp made/${item.round}/00.zip data/labels/${item.round}
    deps: [made]
    outs: ["data/labels/${item.round}/00.zip"]
  prepare:
    cmd: mkdir -p data/manifest/train && cp classes.csv data/manifest && cp made/00.csv data/manifest/train
    deps: [classes.csv, made/00.csv]
    outs: [data/manifest]
"""


def label(*columns):
    """A label of 10 rows, each column of one value."""
    return np.tile(np.array(columns, np.uint8), (10, 1))


def make(r0, r1):
    """What the stages of the next `dvc repro` copy: one image a round."""
    for name, value in (("r0", r0), ("r1", r1)):
        write_archive(Path(f"made/{name}/00.zip"), {"img.png": encode_label(value)})


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


def record(message):
    run(sys.executable, "-m", "dvc", "repro")
    run(sys.executable, "-m", "dvc", "push")
    run("git", "add", "-A")
    run("git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", message)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("diff") / "project"
    folder.mkdir()
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    patch.setenv("DVC_SITE_CACHE_DIR", str(folder.parent / "site"))
    Path("dvc.yaml").write_text(DVC_YAML)
    Path("params.yaml").write_text('rounds: {r1: r0}\nlabel_rounds: [r0, r1]\nshards: ["00"]\n')
    Path("classes.csv").write_text("index,name,mask_value\n0,background,0\n1,cat,1\n2,dog,2\n")
    Path("made").mkdir()
    Path("made/00.csv").write_text("id\n")
    Path(".gitignore").write_text("/data\n")
    run("git", "init", "-q")
    run(sys.executable, "-m", "dvc", "init")
    run(sys.executable, "-m", "dvc", "remote", "add", "--local", "-d", "store", str(folder.parent / "store"))
    make(r0=label(0, 0), r1=label(0, 1, 255, 2))
    record("first")
    make(r0=label(0, 0), r1=label(0, 2, 1, 255))
    record("second")
    write_archive(Path("data/labels/r1/00.zip"), {"img.png": encode_label(label(0, 2, 1, 1))})
    yield folder
    patch.undo()


@pytest.fixture
def project(tmp_path, monkeypatch, finished):
    folder = Path(shutil.copytree(finished, tmp_path / "project", symlinks=True))
    monkeypatch.chdir(folder)
    return folder


def table(text):
    """The summary: class -> figures."""
    lines = [line.split() for line in text.splitlines()[2:7]]
    return {line[0]: dict(zip(lines[0][1:], map(int, line[1:]), strict=True)) for line in lines[1:]}


def state_of_tree():
    """Every file but git's and DVC's own bookkeeping."""
    return {
        path: path.read_bytes()
        for path in sorted(Path().rglob("*"))
        if path.is_file() and path.parts[0] != ".git" and path.parts[:2] != (".dvc", "tmp")
    }


def test_two_revisions(project, capsys):
    before = state_of_tree()
    assert main(["audit", "diff", "HEAD~1", "HEAD"]) == 0
    assert state_of_tree() == before
    printed = capsys.readouterr().out
    assert printed.startswith("labels, pixels: HEAD~1 r1 -> HEAD r1\n")
    figures = table(printed)
    # 0 1 . 2 became 0 2 1 . in each of ten rows
    assert figures["background"] == dict(
        images=0, before=10, after=10, added=0, removed=0, changed_from=0, changed_to=0
    )
    assert figures["cat"] == dict(images=1, before=10, after=10, added=10, removed=0, changed_from=10, changed_to=0)
    assert figures["dog"] == dict(images=1, before=10, after=10, added=0, removed=10, changed_from=0, changed_to=10)
    assert figures["all"] == dict(images=1, before=30, after=30, added=10, removed=10, changed_from=10, changed_to=10)
    assert "30  img" in printed


def test_without_a_second_revision_the_files_on_the_disk(project, capsys):
    assert main(["audit", "diff", "HEAD", "--csv", "out/diff.csv"]) == 0
    assert table(capsys.readouterr().out)["cat"]["added"] == 10
    rows = read_csv("out/diff.csv")
    assert [(row["image_id"], row["class"], row["added"]) for row in rows] == [
        ("img", "background", "0"),
        ("img", "cat", "10"),
        ("img", "dog", "0"),
    ]


def test_a_round_that_did_not_change(project, capsys):
    assert main(["audit", "diff", "HEAD~1", "HEAD", "--round", "r0"]) == 0
    printed = capsys.readouterr().out
    assert table(printed)["all"]["images"] == 0
    assert "most differing" not in printed


def test_two_rounds_on_the_disk_and_of_a_revision(project, capsys):
    assert main(["audit", "diff", "--rounds", "r0", "r1"]) == 0
    assert table(capsys.readouterr().out)["cat"]["after"] == 20
    assert main(["audit", "diff", "HEAD~1", "--rounds", "r0", "r1"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("labels, pixels: HEAD~1 r0 -> HEAD~1 r1\n")
    assert table(printed)["cat"]["after"] == 10
    assert "(another size)" in printed


def test_what_left_the_cache_comes_from_a_remote_that_the_revision_does_not_name(project, capsys):
    shutil.rmtree(".dvc/cache/files")
    assert main(["audit", "diff", "HEAD~1", "HEAD"]) == 0
    assert table(capsys.readouterr().out)["cat"]["added"] == 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense", "HEAD"], "nonsense: unknown Git revision"),
        (["r0", "r1"], "r0: is a round, not a revision; write --rounds rN rM"),
        (["HEAD~1", "HEAD", "--round", "r7"], "HEAD~1: recorded no labels of r7"),
        ([], "auxseg audit diff: name one or two revisions"),
        (["--rounds", "r0", "r9"], "r9: no such round; choose one of r0, r1"),
        (["--rounds", "r0", "../labels"], "../labels: no such round"),
        (["HEAD", "HEAD~1", "--rounds", "r0", "r1"], "--rounds: compares two rounds of one revision"),
    ],
)
def test_rejections_are_one_line(project, capsys, arguments, message):
    assert main(["audit", "diff", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}")
    assert error.count("\n") == 1


def test_a_revision_without_dvc_lock_recorded_nothing(project, capsys):
    run("git", "rm", "-q", "--cached", "dvc.lock")
    run("git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "no lock")
    assert main(["audit", "diff", "HEAD~1", "HEAD"]) == 2
    assert capsys.readouterr().err.startswith("error: HEAD: recorded no labels of r1; commit its dvc.lock")


def test_a_project_from_a_zip_archive_says_what_to_do(project, capsys):
    shutil.rmtree(".git")
    assert main(["audit", "diff", "HEAD~1", "HEAD"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(
        "error: revision HEAD~1: this project is not a git repository (from a ZIP archive?); run `git"
    )
    assert error.count("\n") == 1


def test_labels_that_are_nowhere(project, capsys):
    shutil.rmtree(".dvc/cache/files")
    run(sys.executable, "-m", "dvc", "remote", "modify", "--local", "store", "url", os.fspath(project / "empty"))
    assert main(["audit", "diff", "HEAD~1", "HEAD"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: HEAD~1: ") and "neither in DVC's cache nor in its remote" in error
    assert error.count("\n") == 1


def test_csv_into_a_folder_is_rejected_first(project, capsys):
    assert main(["audit", "diff", "--rounds", "r0", "r1", "--csv", "data"]) == 2
    out, error = capsys.readouterr()
    assert not out and error == "error: --csv data: a folder; give the name of a file\n"
