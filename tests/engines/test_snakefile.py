"""The real Snakefile on a small project: it runs what DVC calls stale, each rule its own stage, and nothing else."""

import contextlib
import hashlib
import json
import shutil
from pathlib import Path

import networkx
import pytest
from stub import ALL, clone, dvc, make_project, planned, ran, replace, snakemake, stale

from auxseg.datasets.scan import scan, write_raw
from auxseg.engines.dvc_internals import Repo
from auxseg.engines.plan import make_plan
from auxseg.errors import AuxsegError

LABELS = {"labels@r0-00", "labels@r0-01", "labels@r1-00", "labels@r1-01"}


def snapshot(folder: Path) -> dict[str, str]:
    """Return path -> hash of every file outside the tools' own folders."""
    own = {".snakemake", ".git", ".dvc"}
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not own & set(path.relative_to(folder).parts)
    }


def test_clean_tree_plans_everything_and_a_dry_run_changes_no_file(tmp_path):
    folder = make_project(tmp_path)
    before = snapshot(folder)
    assert planned(folder) == ALL
    assert snapshot(folder) == before


def test_each_rule_runs_its_own_stage_and_a_fresh_state_runs_nothing(finished):
    lines = sorted((finished / "logs/ran.txt").read_text().split())
    assert lines == sorted(ALL - {"code"})  # each exactly once
    for path, stage in {
        "data/manifest.txt": "prepare",
        "data/labels/r0/00.zip": "labels",
        "data/labels/r1/01.zip": "labels",
        "data/models/r1.txt": "train",
        "data/summary.txt": "summary",
    }.items():
        assert (finished / path).read_text().startswith(f"{stage} {path}[")
    for address in ALL - {"code"}:
        stage, _, key = address.partition("@")
        log = (finished / f"logs/snakemake/{stage}/{key or 'all'}.log").read_text()
        assert f"Running stage '{address}':" in log
        assert log.count("Running stage") == 1
    assert planned(finished) == set()
    assert "up to date" in dvc(finished, "status").stdout


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory) -> Path:
    """A project that DVC ran from nothing; not to be changed."""
    folder = make_project(tmp_path_factory.mktemp("reproduced"))
    dvc(folder, "repro")
    return folder


def test_after_dvc_repro_there_is_nothing_to_do(reproduced, tmp_path):
    folder = copied(reproduced, tmp_path / "project")
    ran(folder)
    assert "Nothing to be done" in snakemake(folder, "--cores", "2").stderr
    assert ran(folder) == []


def copied(project: Path, folder: Path) -> Path:
    return Path(shutil.copytree(project, folder, symlinks=True))


def by_snakemake(request, folder: Path) -> Path:
    return copied(request.getfixturevalue("finished"), folder)


def by_dvc(request, folder: Path) -> Path:
    return copied(request.getfixturevalue("reproduced"), folder)


def by_another(request, folder: Path) -> Path:
    return clone(by_snakemake(request, folder.with_name("theirs")), folder)


@pytest.fixture(scope="module")
def last_run(request, tmp_path_factory) -> Path:
    """A project that ran: here by Snakemake, here by DVC, or elsewhere and then cloned and pulled."""
    return request.param(request, tmp_path_factory.mktemp("last-run") / "project")


def change_parameter(project: Path) -> None:
    replace(project, "params.yaml", "later_rate: 1.0", "later_rate: 0.5")


def change_code(project: Path) -> None:
    replace(project, "src/auxseg/trained.py", "anything = 2", "anything = 4")


def change_images(project: Path) -> None:
    photos = project.with_name("photos")
    photos.mkdir()
    (photos / "new.jpg").write_bytes(b"another image")
    assert write_raw(project / "data/raw.yaml", scan(photos))  # as `auxseg scan` does


EVERYDAY = {by_snakemake: change_images, by_dvc: change_parameter, by_another: change_code}
"""The pairs that are not nightly tests: each way and each change once."""
PAIRS = [
    pytest.param(run, change, marks=() if EVERYDAY[run] is change else pytest.mark.nightly)
    for run in EVERYDAY
    for change in EVERYDAY.values()
]


@pytest.mark.parametrize(
    ("last_run", "change"), PAIRS, indirect=["last_run"], ids=lambda function: function.__name__, scope="module"
)
def test_planned_is_what_dvc_calls_changed_and_all_that_needs_it(last_run, tmp_path, monkeypatch, change):
    project = copied(last_run, tmp_path / "project")
    change(project)
    announced = planned(project)

    monkeypatch.chdir(project)
    with Repo(".") as repo:
        code = {"code"} & repo.status().keys()
    if code:  # what it writes is known without a run, so it makes stale what reads a changed fingerprint alone
        dvc(project, "repro", "code")
    with Repo(".") as repo:
        graph = networkx.relabel_nodes(repo.index.graph, lambda stage: stage.addressing)
        changed = repo.status().keys()
    assert changed
    assert announced == code.union(changed, *(networkx.ancestors(graph, stage) for stage in changed))


def test_parameter_changed_then_set_back(project):
    replace(project, "params.yaml", "prior_weight: 0.5", "prior_weight: 0.4")
    expected = LABELS | {"train@r1", "summary"}
    assert planned(project) == stale(project) == expected
    snakemake(project, "--cores", "2")
    # the job of `summary` starts, and DVC finds that the new model has the old bytes
    assert set(ran(project)) == expected - {"summary"}
    assert stale(project) == set()

    replace(project, "params.yaml", "prior_weight: 0.4", "prior_weight: 0.5")
    assert stale(project) == expected  # a dry run restores nothing
    result = snakemake(project, "--cores", "2")
    assert "Nothing to be done" in result.stderr
    assert "restored from DVC's run cache: train@r1" in result.stderr
    assert ran(project) == []
    assert "prior_weight: 0.5" in (project / "data/labels/r0/00.zip").read_text()
    assert "up to date" in dvc(project, "status").stdout
    assert stale(project) == set()


def test_parameter_of_a_late_stage_leaves_the_earlier_ones(project):
    replace(project, "params.yaml", "later_rate: 1.0", "later_rate: 0.5")
    assert stale(project) == {"train@r1", "summary"}


def test_unused_parameter_and_mtimes_run_nothing(project):
    replace(project, "params.yaml", "photo_side: 512", "photo_side: 500")  # of `audit`, which this project has not
    for path in project.rglob("*.txt"):
        path.touch()
    assert stale(project) == set()


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        ("src/auxseg/shared.py", '"""Used by two."""', '"""Another word."""  # and a comment', {"code"}),
        ("workflow/stages/train.py", '"""Write a line', '"""Say a line', {"code"}),
        ("src/auxseg/trained.py", "anything = 2", "anything = 4", {"code", "train@r1", "summary"}),
        ("src/auxseg/shared.py", "anything = 1", "anything = 4", ALL),
        ("src/auxseg/unused.py", "anything = 3", "anything = 4", {"code", "summary"}),
    ],
)
def test_code_makes_exactly_its_users_stale(project, path, old, new, expected):
    before = snapshot(project)
    replace(project, path, old, new)
    assert stale(project) == expected
    replace(project, path, new, old)
    assert snapshot(project) == before


def test_docstring_runs_only_code_and_code_runs_before_planning(project):
    replace(project, "src/auxseg/shared.py", '"""Used by two."""', '"""Another word."""')
    with contextlib.chdir(project):
        assert not any(node["stale"] for node in make_plan(dry=False).values())
    assert ran(project) == []
    assert "up to date" in dvc(project, "status").stdout
    replace(project, "src/auxseg/trained.py", "anything = 2", "anything = 4")
    snakemake(project, "--cores", "2")
    assert ran(project) == ["train@r1"]


def test_missing_output_is_restored_without_a_job(project):
    (project / "data/models/r1.txt").unlink()
    assert stale(project) == {"train@r1", "summary"}
    snakemake(project, "--cores", "2")
    assert ran(project) == []
    assert (project / "data/models/r1.txt").exists()


def test_a_failed_shard_prints_the_end_of_its_log_and_alone_runs_again(project):
    replace(project, "params.yaml", "prior_weight: 0.5", "prior_weight: 0.4")
    result = snakemake(project, "--cores", "2", "--keep-going", environment={"FAIL": "labels@r0-01"}, code=1)
    assert "stage labels@r0-01 failed; the end of logs/snakemake/labels/r0-01.log:" in result.stderr
    assert "no luck today" in result.stderr
    done = ran(project)
    assert "labels@r0-00" in done
    assert "labels@r0-01" not in done
    assert stale(project) == {"labels@r0-01", "train@r1", "summary"}
    snakemake(project, "--cores", "2")
    assert set(ran(project)) == {"labels@r0-01", "train@r1"}
    assert "up to date" in dvc(project, "status").stdout


def test_killed_job_needs_no_unlocking_of_files(project):
    # what Snakemake leaves when it is killed between the end of a job and its own note of it
    marks = project / ".snakemake/incomplete"
    marks.mkdir(exist_ok=True)
    name = next(path.name for path in (project / ".snakemake/metadata").rglob("*") if path.is_file())
    (marks / name).touch()
    assert planned(project) == set()


def test_changed_recipe_of_a_rule_runs_nothing(project):
    replace(project, "workflow/rules/stages.smk", "tail -n 30", "tail -n 31")
    assert planned(project) == set()


def test_wrong_parameter_is_one_line(project):
    replace(project, "params.yaml", "prior_weight: 0.5", "prior_wait: 0.5")
    result = snakemake(project, "-n", code=2)
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert errors == ["error: params.yaml: unknown key 'labels.prior_wait'; did you mean 'prior_weight'?"]
    assert "Traceback" not in result.stderr


def test_broken_dvc_file_is_one_line(project):
    replace(project, "dvc.yaml", "${label_rounds}", "${label_round}")
    with pytest.raises(AuxsegError, match=r"^DVC: ") as error:
        stale(project)
    assert "\n" not in str(error.value)


def test_new_round_leaves_the_older_ones(project):
    replace(project, "params.yaml", "rounds: {r1: r0}", "rounds: {r1: r0, r2: r1}")
    replace(project, "params.yaml", "label_rounds: [r0, r1]", "label_rounds: [r0, r1, r2]")
    assert stale(project) == {"labels@r2-00", "labels@r2-01", "train@r2", "summary"}


def test_local_profile_is_accepted_and_resources_come_from_meta(project):
    replace(project, "params.yaml", "later_rate: 1.0", "later_rate: 0.5")
    result = snakemake(project, "-n", "--workflow-profile", "workflow/profiles/local")
    train = result.stdout.split("rule train:")[1].split("[")[0]
    assert {"gpu=1", "mem_mb=200", "runtime=9", "cpus_per_task=1"} <= set(train.replace(",", " ").split())


def test_stamps_and_plan_are_all_that_a_dry_run_writes(project):
    shutil.rmtree(project / ".snakemake")
    assert planned(project) == set()
    plan = json.loads((project / ".snakemake/dvc-plan.json").read_text())
    assert set(plan) == ALL
    assert plan["train@r1"] == {"deps": ["labels@r0-00", "labels@r0-01"], "stale": False}
