"""Results through a DVC remote: another machine pulls them and computes nothing; a reviewer pulls labels alone."""

import os
import stat
import sys
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from stub import commit, dvc, replace, run, share, snakemake

KEY = {"access_key_id": "somebody", "secret_access_key": "something"}


@pytest.fixture(scope="module")
def s3():
    """The address of an S3 server on this machine that holds a bucket `lab`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    names = {"aws_" + name: value for name, value in KEY.items()}
    boto3.client("s3", endpoint_url=address, region_name="us-east-1", **names).create_bucket(Bucket="lab")
    yield address
    server.stop()


@pytest.fixture
def never(tmp_path):
    """Settings under which every command of a stage fails: DVC runs it in $SHELL. Leaves a mark."""
    shell = tmp_path / "never"
    shell.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/called.txt\nexit 97\n')
    shell.chmod(shell.stat().st_mode | stat.S_IXUSR)
    return {"SHELL": str(shell)}


def repro(folder: Path, settings: dict[str, str], **options) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return run(folder, sys.executable, "-m", "dvc", "repro", environment={"PATH": path, **settings}, **options).stdout


def clone_of(project: Path, folder: Path) -> Path:
    run(project, "git", "clone", "-q", str(project), str(folder))
    (folder / "logs").mkdir(exist_ok=True)
    return folder


@pytest.mark.parametrize("store", ["folder", "s3"])
def test_clone_and_pull_execute_nothing_with_either_engine(project, tmp_path, never, store, request):
    if store == "s3":
        # here the keys may stand in the project: they open nothing
        share(project, "s3://lab/auxseg", endpointurl=request.getfixturevalue("s3"), **KEY)
    else:
        share(project, str(tmp_path / "shelf"))
    clone = clone_of(project, tmp_path / "clone")
    dvc(clone, "pull")

    assert "Data and pipelines are up to date." in repro(clone, never)
    assert "Nothing to be done" in snakemake(clone, "--cores", "2", environment=never).stderr
    assert not (tmp_path / "called.txt").exists()
    for path in project.glob("data/**/*.*"):
        assert (clone / path.relative_to(project)).read_bytes() == path.read_bytes()

    # the proof would fail: a command that is called does leave its mark
    text = (clone / "params.yaml").read_text()
    (clone / "params.yaml").write_text(text.replace("later_rate: 1.0", "later_rate: 0.5"))
    repro(clone, never, code=255)
    assert "train.py" in (tmp_path / "called.txt").read_text()


def test_settings_of_earlier_commits_come_back_elsewhere_too(project, tmp_path, never):
    params = project / "params.yaml"
    before = params.read_text()
    after = before.replace("prior_weight: 0.5", "prior_weight: 0.4")
    replace(project, ".dvc/config", "no_scm = true", "no_scm = false")  # `--all-commits` reads git: docs/sharing.md
    share(project, str(tmp_path / "shelf"))  # first: DVC pushes a commit to the remote that this commit names
    params.write_text(after)
    dvc(project, "repro")
    commit(project)
    labels = (project / "data/labels/r0/00.zip").read_bytes()
    params.write_text(before)
    dvc(project, "repro")
    commit(project)
    dvc(project, "push", "--run-cache", "--all-commits")

    clone = clone_of(project, tmp_path / "clone")
    dvc(clone, "fetch", "--run-cache", "--all-commits")
    dvc(clone, "checkout")
    (clone / "params.yaml").write_text(after)
    assert "Nothing to be done" in snakemake(clone, "--cores", "2", environment=never).stderr
    assert not (tmp_path / "called.txt").exists()
    assert (clone / "data/labels/r0/00.zip").read_bytes() == labels

    # pruning keeps what params.yaml and dvc.lock name now, and forgets the other settings
    dvc(project, "gc", "--workspace", "--force")
    assert "up to date" in dvc(project, "status").stdout
    params.write_text(after)
    repro(project, never, code=255)


def test_a_reviewer_pulls_labels_without_weights(project, tmp_path):
    share(project, str(tmp_path / "shelf"))
    clone = clone_of(project, tmp_path / "clone")
    dvc(clone, "pull", "data/labels/r1/00.zip")
    assert pulled(clone) == {"data/labels/r1/00.zip"}
    dvc(clone, "pull", "labels")
    assert pulled(clone) == {f"data/labels/r{index}/0{shard}.zip" for index in (0, 1) for shard in (0, 1)}
    assert len(list((clone / ".dvc/cache/files/md5").glob("*/*"))) == 4  # and nothing else was fetched


def pulled(folder: Path) -> set[str]:
    files = {str(path.relative_to(folder)) for path in folder.glob("data/**/*") if path.is_file()}
    return files - {"data/raw.yaml"}
