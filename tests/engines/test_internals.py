"""The undocumented names of DVC and Snakemake: they exist, accept our arguments, and are used in two files only."""

import asyncio
import importlib
import inspect
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from snakemake_interface_executor_plugins.settings import CommonSettings

from auxseg.engines import dvc_internals, snakemake_internals
from auxseg.engines.dvc_internals import HashInfo, PipelineStage, Repo, StageCache

ROOT = Path(__file__).resolve().parents[2]
HOLDERS = {"src/auxseg/engines/dvc_internals.py", "src/auxseg/engines/snakemake_internals.py"}
ENGINES = r"(dvc|dvc_data|dvc_objects|snakemake|snakemake_\w+|kubernetes)"

CALLS = {
    # name in its module: the arguments that auxseg gives
    ("dvc.cli", "main"): ["argv"],
    ("dvc.repo", "Repo"): ["root_dir", "rev", "config", "_wait_for_lock"],
    ("dvc.repo", "lock_repo"): ["repo"],
    ("dvc.rwlock", "_edit_rwlock"): ["lock_dir", "fs", "hardlink"],
    ("dvc.rwlock", "rwlock"): [],
    ("dvc.utils", "dict_sha256"): ["d", "kwargs"],
    ("dvc.dvcfile", "Lockfile"): ["repo", "path"],
    ("dvc.dvcfile", "Lockfile.dump_stages"): ["self", "stages"],
    ("dvc.stage", "Stage.save"): ["self", "run_cache"],
    ("dvc.stage", "Stage.save_deps"): ["self"],
    ("dvc.stage", "Stage.commit"): ["self"],
    ("dvc.stage", "Stage.dump"): ["self", "kwargs"],
    ("dvc.stage", "Stage.reproduce"): ["self", "kwargs"],
    ("dvc.stage", "Stage.changed_stage"): ["self"],
    ("dvc.stage", "Stage.deps_cached"): ["self"],
    ("dvc.stage", "Stage.outs_cached"): ["self"],
    ("dvc.stage.run", "run_stage"): ["run_env"],
    ("dvc.stage.cache", "StageCache.save"): ["self", "stage"],
    ("dvc.stage.cache", "StageCache._load"): ["self", "stage"],
    ("dvc.stage.cache", "StageCache._create_stage"): ["self", "cache", "wdir"],
    ("dvc.output", "Output.status"): ["self"],
    ("dvc.dependency.base", "Dependency"): [],
    ("dvc.dependency.base", "DependencyDoesNotExistError"): [],
    ("dvc.output", "OutputDoesNotExistError"): [],
    ("dvc.dependency", "ParamsDependency"): ["params"],
    ("dvc.rwlock", "SCHEMA"): [],
    ("dvc.lock", "LockError"): [],
    ("dvc.lock", "make_lock"): ["lockfile", "tmp_dir", "hardlink_lock"],
    ("dvc.schema", "COMPILED_LOCKFILE_SCHEMA"): [],
    ("dvc.utils.serialize", "parse_yaml"): ["text", "path"],
    ("dvc.utils.serialize", "YAMLFileCorruptedError"): [],
    ("dvc_data.hashfile.state", "State.save"): ["self", "path", "fs", "hash_info"],
    ("dvc_data.hashfile.hash_info", "HashInfo"): ["name", "value"],
    ("dvc_data.index", "DataIndexDirError"): [],
    ("snakemake.cli", "main"): ["argv"],
    ("snakemake.jobs", "Job"): [],
    ("snakemake.rules", "Rule"): [],
    ("snakemake_executor_plugin_slurm", "Executor.check_active_jobs"): ["self", "active_jobs"],
    ("snakemake_executor_plugin_slurm", "Executor.next_seconds_between_status_checks"): [],
    ("snakemake_executor_plugin_slurm", "query_job_status"): ["command", "logger"],
    ("snakemake_executor_plugin_slurm", "Executor.run_job"): ["self", "job"],
    ("snakemake_executor_plugin_slurm", "Executor.shutdown"): ["self"],
    ("snakemake_executor_plugin_slurm", "Executor._report_job_error_threadsafe"): ["self", "job_info", "msg"],
    ("snakemake_executor_plugin_slurm", "SubmittedJobInfo"): ["job"],
    ("snakemake_executor_plugin_slurm", "Executor.sleep"): ["self"],
    ("kubernetes.client", "CoreV1Api.read_namespaced_pod_log"): ["self", "name", "namespace", "kwargs"],
    ("kubernetes.client", "BatchV1Api.create_namespaced_job"): ["self", "namespace", "body", "kwargs"],
    ("kubernetes.client", "V1Volume"): ["name", "empty_dir"],
    ("kubernetes.client", "V1EmptyDirVolumeSource"): ["medium"],
    ("kubernetes.client", "V1VolumeMount"): ["name", "mount_path"],
}


@pytest.mark.parametrize(("module", "name"), CALLS, ids=lambda text: text)
def test_name_takes_its_arguments(module, name):
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if expected := CALLS[module, name]:
        assert set(expected) <= set(inspect.signature(inspect.unwrap(found)).parameters)


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """A project with one stage that ran."""
    monkeypatch.chdir(tmp_path)
    Repo.init(no_scm=True).close()
    Path("params.yaml").write_text("labels: {prior: 0.5}\n")
    Path("in.txt").write_text("images")
    Path("dvc.yaml").write_text(
        "stages: {a: {cmd: cp in.txt out.txt, deps: [in.txt], params: [labels], outs: [out.txt]}}"
    )
    with dvc_internals.open_repo() as repo:
        repo.reproduce()
        yield repo


def test_attributes_of_a_project_and_a_stage(repo):
    stage = repo.index.stages[0]
    assert isinstance(stage, PipelineStage) and isinstance(repo.stage_cache, StageCache)
    assert (stage.addressing, stage.cmd, stage.wdir) == ("a", "cp in.txt out.txt", str(Path.cwd()))
    assert not (stage.frozen or stage.is_callback or stage.always_changed)
    params, file = sorted(stage.deps, key=dvc_internals.is_params, reverse=True)
    assert (params.params, params.hash_info.value) == (["labels"], {"labels": {"prior": 0.5}})
    assert (file.def_path, file.meta.size, type(file.hash_info)) == ("in.txt", 6, HashInfo)
    assert [out.def_path for out in stage.outs] == ["out.txt"]
    assert list(repo.index.graph.nodes) == [stage]
    assert (repo.root_dir, repo.tmp_dir) == (str(Path.cwd()), str(Path(".dvc/tmp").absolute()))
    assert repo.config["core"].get("hardlink_lock") in (None, False)
    with repo.scm_context(quiet=True):
        assert not repo.lock.is_locked
    key = dvc_internals.run_cache_key(
        {
            "cmd": stage.cmd,
            "deps": [{"path": "in.txt", "hash": "md5", "md5": file.hash_info.value}],
            "params": {"params.yaml": {"labels": {"prior": 0.5}}},
            "outs": ["out.txt"],
        }
    )
    assert Path(dvc_internals.run_cache_folder(repo), key[:2], key).is_dir()
    assert dvc_internals.is_file_cached(repo, file.hash_info.value)  # `out.txt` has the same bytes
    assert not dvc_internals.is_file_cached(repo, "0" * 32)


def test_a_hard_link_lock_is_dated_a_lifetime_ahead(repo):
    from dvc.lock import HardlinkLock

    lock = HardlinkLock(str(Path(repo.tmp_dir, "lock")), tmp_dir=repo.tmp_dir)
    assert lock.lifetime.total_seconds() == dvc_internals.LIFETIME


def test_what_dvc_writes_in_place():
    """Code of frames, so it is that of the functions that were defined, not of what wraps them."""
    names = {code.co_name for code in dvc_internals.WRITES_IN_PLACE}
    assert names == {"_edit_rwlock", "rwlock", "dump_stages", "save", "commit"}
    assert StageCache.save.__code__ in dvc_internals.WRITES_IN_PLACE


def test_what_is_a_dvc_lock():
    whole = 'schema: "2.0"\nstages:\n  a:\n    cmd: x\n    outs:\n    - path: out.txt\n      md5: abc\n'
    assert dvc_internals.is_lockfile(whole) and not dvc_internals.is_lockfile("")
    assert not dvc_internals.is_lockfile(whole[:-8]) and not dvc_internals.is_lockfile(whole.replace("md5", '"'))


def test_attributes_of_a_workflow():
    from snakemake.dag import DAG
    from snakemake.jobs import Job
    from snakemake.rules import Rule
    from snakemake.settings.types import DAGSettings
    from snakemake.workflow import Workflow

    for name in ("is_main_process", "dryrun", "touch", "remote_exec"):
        assert isinstance(inspect.getattr_static(Workflow, name), property), name
    assert {"executor_plugin", "dag_settings"} <= set(inspect.getsource(Workflow).replace(":", " ").split())
    assert {"rerun_triggers", "force_incomplete"} <= set(DAGSettings.__dataclass_fields__)
    assert "ignore_incomplete" in inspect.signature(DAG).parameters
    assert isinstance(inspect.getattr_static(Rule, "restart_times"), property)
    assert isinstance(inspect.getattr_static(Job, "restart_times"), property)


def test_attributes_of_plugins():
    slurm = importlib.import_module(snakemake_internals.SLURM)
    assert inspect.isasyncgenfunction(slurm.Executor.check_active_jobs)
    assert asyncio.iscoroutinefunction(slurm.Executor.sleep) and asyncio.iscoroutinefunction(slurm.query_job_status)
    assert slurm.time.sleep
    kubernetes = importlib.import_module("snakemake_executor_plugin_kubernetes")
    assert isinstance(kubernetes.common_settings, CommonSettings)
    for name in ("implies_no_shared_fs", "job_deploy_sources", "auto_deploy_default_storage_provider"):
        assert getattr(kubernetes.common_settings, name) is True, name  # what auxseg turns off


def _programs() -> list[Path]:
    folders = ("src", "workflow", "benchmarks", "tests")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".smk")]
    return [path for path in (*files, ROOT / "Snakefile") if path != Path(__file__)]


def test_no_other_file_imports_an_engine():
    """Neither by a statement nor by a name in a string; `dvc.api` is public."""
    statement = re.compile(rf"^[ >]*(?:from|import) {ENGINES}\b(?!\.api\b)", re.MULTILINE)
    by_name = re.compile(rf"(?:import_module|setattr)\(\s*[\"']{ENGINES}[.\"']")
    found = {
        path.relative_to(ROOT).as_posix()
        for path in _programs()
        if statement.search(text := path.read_text("utf-8")) or by_name.search(text) or "; from dvc" in text
    }
    assert found == HOLDERS


def test_no_other_file_uses_a_private_attribute_of_an_engine():
    names = r"stage_cache\._\w+|\b_edit_rwlock\b|\b_wait_for_lock\b|\brestart_times\b|check_active_jobs(?:, .*)? ="
    private = re.compile(names)
    found = {path.relative_to(ROOT).as_posix() for path in _programs() if private.search(path.read_text("utf-8"))}
    assert found == HOLDERS


def test_pins_are_the_versions_that_these_tests_ran_with():
    """An upgrade is a decision: the pin moves, then these tests run."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["cluster"]]
    pins = {one.name: one.specifier for one in map(Requirement, lines) if re.fullmatch(r"dvc|snakemake.*", one.name)}
    assert {"dvc", "snakemake", "snakemake-executor-plugin-slurm"} <= pins.keys()
    for name, pin in pins.items():
        assert str(pin).startswith("~="), name
        assert pin.contains(version(name)), name
