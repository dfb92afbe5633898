"""The plan for Snakemake, made in this process: its nodes, what it says, and what it leaves alone."""

import hashlib
from pathlib import Path

import pytest
import yaml
from stub import ALL, dvc, replace

from auxseg.engines.dvc_internals import open_repo
from auxseg.engines.heartbeat import heartbeat
from auxseg.engines.plan import make_plan, new_fingerprints, record_results
from auxseg.engines.receipts import Receipt, read_receipts, times, write_receipt
from auxseg.errors import AuxsegError, DataError, ParamsError

LABELS = {address for address in ALL if address.startswith("labels")}


@pytest.fixture
def here(project, monkeypatch) -> Path:
    monkeypatch.chdir(project)
    return project


def entry_of(address):
    return yaml.safe_load(Path("dvc.lock").read_text())["stages"][address]


def receipt_of(address) -> Receipt:
    """What a job without DVC would have left."""
    entry = entry_of(address)
    return Receipt(
        address=address,
        cmd=entry["cmd"],
        inputs={item["path"]: item["md5"] for item in entry["deps"]},
        params=entry.get("params", {}).get("params.yaml", {}),
        outputs={item["path"]: item["md5"] for item in entry["outs"]},
        files=times([item["path"] for item in entry["outs"]]),
    )


def test_nodes_are_the_instances_and_what_they_read(here):
    plan = make_plan(dry=True)
    assert set(plan) == ALL
    assert plan["prepare"] == {"deps": [], "stale": False}  # `code` is up to date before any job
    assert plan["labels@r1-01"] == {"deps": ["prepare"], "stale": False}
    assert sorted(plan["train@r1"]["deps"]) == ["labels@r0-00", "labels@r0-01"]
    assert plan["summary"]["deps"] == ["train@r1"]


def test_a_change_makes_everything_below_it_stale_and_a_dry_run_writes_nothing(here, capsys):
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file() and ".dvc" not in path.parts}
    replace(here, "src/auxseg/trained.py", "anything = 2", "anything = 4")
    plan = make_plan(dry=True)
    assert {address for address, node in plan.items() if node["stale"]} == {"code", "train@r1", "summary"}
    assert all("task" not in node for node in plan.values())
    assert capsys.readouterr().err == ""
    assert {path for path, content in before.items() if path.read_bytes() != content} == {Path("src/auxseg/trained.py")}


def test_code_that_changes_nothing_is_not_stale(here):
    """A comment leaves the fingerprints as they are."""
    replace(here, "src/auxseg/trained.py", "anything = 2", "anything = 2  # of what?")
    assert {address for address, node in make_plan(dry=True).items() if node["stale"]} == {"code"}


def test_fingerprints_of_the_present_code(here):
    with open_repo() as repo:
        code = next(stage for stage in repo.index.stages if stage.addressing == "code")
        found = new_fingerprints(code)
    assert found == {out["path"]: out["md5"] for out in entry_of("code")["outs"]}
    assert found == {path: hashlib.md5(Path(path).read_bytes()).hexdigest() for path in found}


def test_a_removed_result_is_restored_and_said(here, capsys):
    text = Path("params.yaml").read_text()
    replace(here, "params.yaml", "later_rate: 1.0", "later_rate: 0.5")
    dvc(here, "repro")
    Path("params.yaml").write_text(text)
    assert {address for address, node in make_plan(dry=True).items() if node["stale"]} == {"train@r1", "summary"}
    assert capsys.readouterr().err == ""
    assert not any(node["stale"] for node in make_plan(dry=False).values())
    said = capsys.readouterr().err.splitlines()
    assert "restored from DVC's run cache: train@r1" in said
    assert "restored from DVC's run cache: summary" in said


def test_jobs_without_dvc_get_a_task(here):
    replace(here, "params.yaml", "record: job", "record: controller")
    replace(here, "params.yaml", "prior_weight: 0.5", "prior_weight: 0.25")
    plan = make_plan(dry=True)
    assert {address for address, node in plan.items() if "task" in node} == LABELS | {"train@r1", "summary"}
    task, entry = plan["labels@r1-00"]["task"], entry_of("labels@r1-00")
    assert task["cmd"] == entry["cmd"]
    assert sorted(task["inputs"]) == sorted(item["path"] for item in entry["deps"])
    assert task["params"] == ["labels"]
    assert task["outputs"] == ["data/labels/r1/00.zip"]
    assert len(task["recorded"]) == 64
    assert (Path(task["run_cache"]) / task["recorded"][:2] / task["recorded"]).is_dir()
    assert Path(task["run_cache"]).parts[-2:] == ("cache", "runs")


def test_an_instance_that_was_never_recorded_has_no_key(here):
    replace(here, "params.yaml", "record: job", "record: controller")
    lock = yaml.safe_load(Path("dvc.lock").read_text())
    del lock["stages"]["train@r1"]
    Path("dvc.lock").write_text(yaml.safe_dump(lock))
    assert make_plan(dry=True)["train@r1"]["task"]["recorded"] == ""


def test_receipts_are_counted_by_a_dry_run_and_recorded_by_the_next(here, capsys):
    recorded = entry_of("train@r1")
    write_receipt(receipt_of("train@r1"))
    lock = yaml.safe_load(Path("dvc.lock").read_text())
    del lock["stages"]["train@r1"]
    Path("dvc.lock").write_text(yaml.safe_dump(lock))
    assert make_plan(dry=True)["train@r1"]["stale"]
    assert "1 finished result is not recorded yet" in capsys.readouterr().err
    assert not make_plan(dry=False)["train@r1"]["stale"]
    assert "recorded, finished by an earlier run: train@r1" in capsys.readouterr().err
    assert entry_of("train@r1") == recorded
    assert read_receipts() == []


def test_the_controller_records_at_its_end(here, capsys):
    assert record_results() is False
    assert capsys.readouterr().err == ""
    write_receipt(receipt_of("train@r1"))
    assert record_results() is True
    assert "recorded 1 of 1 results in dvc.lock" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("label_rounds: [r0, r1]", "label_rounds: [r0]", "label_rounds"),
        ("later_rate: 1.0", "later_rate: -1", "train.later_rate"),
    ],
)
def test_wrong_parameters_are_one_line(here, old, new, said):
    replace(here, "params.yaml", old, new)
    with pytest.raises(AuxsegError, match=said) as error:
        make_plan(dry=True)
    assert "\n" not in str(error.value)


def test_a_missing_section_is_one_line(here):
    values = yaml.safe_load(Path("params.yaml").read_text())
    del values["train"]
    Path("params.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(ParamsError, match=r"^params\.yaml: key 'train' is missing; `auxseg params render` adds"):
        make_plan(dry=True)


def test_what_dvc_only_tracks_is_no_node(here):
    Path("weights.bin").write_text("from elsewhere\n")
    dvc(here, "add", "weights.bin")
    assert set(make_plan(dry=True)) == ALL


def test_it_waits_for_no_job_of_an_earlier_run(here):
    with heartbeat("labels@r1-01"):
        make_plan(dry=True)  # it writes nothing, so it may look on
        with pytest.raises(DataError, match=r"^1 job of another run is still running \(first: labels r1-01 on "):
            make_plan(dry=False)
    make_plan(dry=False)


def test_what_a_killed_process_left_is_cleared_and_said(here, capsys):
    Path(".dvc/tmp/rwlock").write_text("")
    make_plan(dry=True)
    assert Path(".dvc/tmp/rwlock").read_text() == ""
    make_plan(dry=False)
    assert capsys.readouterr().err.startswith("cleared rwlock: incomplete, because a process was killed while it wrote")


def test_nothing_is_said_on_stdout(here, capsys):
    make_plan(dry=False)
    assert capsys.readouterr().out == ""
