"""The `kubernetes` profile as far as it can be seen without a cluster: what it plans, and the jobs that it sends."""

import os
import shutil
import sys
from pathlib import Path

import pytest
import stub
from fake_kubernetes import FakeKubernetes

SNAKEMAKE = (sys.executable, "workflow/profiles/kubernetes/run.py")
RUN = (*SNAKEMAKE, "--seconds-between-status-checks", "1")


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    folder = stub.make_project(tmp_path_factory.mktemp("finished") / "project")
    stub.dvc(folder, "repro")
    stub.ran(folder)
    return folder


@pytest.fixture
def project(finished, tmp_path) -> Path:
    """A project in which a training, which needs a GPU, and what follows have to run."""
    folder = Path(shutil.copytree(finished, tmp_path / "project", symlinks=True))
    stub.replace(folder, "params.yaml", "later_rate: 1.0", "later_rate: 0.5")
    return folder


@pytest.fixture
def api(tmp_path, monkeypatch):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # as in the image: its own `python`
    fake = FakeKubernetes({**os.environ, "PATH": path})
    fake.write_config(tmp_path / "kubeconfig")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    yield fake
    fake.stop()


def test_a_dry_run_plans_and_asks_no_cluster(project):
    printed = stub.run(project, *SNAKEMAKE, "-n").stdout
    assert "rule train:" in printed
    assert "gpu_manufacturer=nvidia" in printed


def test_job_specifications(project, api):
    # the clone lies elsewhere here; all else is the profile's
    stub.run(project, *RUN, "--precommand", f"cd {project}")
    assert stub.ran(project) == ["summary", "train@r1"]  # what is in the specifications works as a command
    assert "up to date" in stub.dvc(project, "status").stdout

    train, summary = api.jobs
    pod = train["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert train["spec"]["backoffLimit"] == 0  # Snakemake tries again, with more
    assert container["image"] == "auxseg:0.1.0"
    assert container["command"] == ["/bin/sh"]
    assert container["args"][1].startswith(f"cd {project} && python -m snakemake --snakefile '{project}/Snakefile'")
    assert {"name": "auxseg", "mountPath": "/auxseg"} in container["volumeMounts"]
    assert {"name": "auxseg", "persistentVolumeClaim": {"claimName": "auxseg"}} in pod["volumes"]
    # else it is 64 MB, and the loader's processes die
    assert {"name": "shared-memory", "mountPath": "/dev/shm"} in container["volumeMounts"]
    assert {"name": "shared-memory", "emptyDir": {"medium": "Memory"}} in pod["volumes"]
    # of dvc.yaml's meta {gpu: 1, cpus: 1, mem_mb: 200}; a GPU must be a limit too
    for kind in ("requests", "limits"):
        asked = container["resources"][kind]
        assert (asked["nvidia.com/gpu"], asked["memory"]) == ("1", "200M")
    assert pod["tolerations"][0]["key"] == "nvidia.com/gpu"
    assert "nvidia.com/gpu" not in summary["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]


def test_a_failed_job_is_tried_again_and_the_rest_goes_on(project, api):
    stub.replace(project, "params.yaml", "prior_weight: 0.5", "prior_weight: 0.4")
    api.environment["FAIL"] = "labels@r0-00"
    printed = stub.run(project, *RUN, "--precommand", f"cd {project}", code=1).stderr
    assert "Kubernetes request failed" not in printed
    attempts = [job for job in api.jobs if "r0-00" in job["spec"]["template"]["spec"]["containers"][0]["args"][1]]
    limits = [job["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] for job in attempts]
    assert limits == ["100M", "200M", "300M"]
    assert {"labels@r0-01", "labels@r1-00", "labels@r1-01"} <= set(stub.ran(project))
