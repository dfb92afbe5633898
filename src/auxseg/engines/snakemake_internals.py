"""All undocumented names of Snakemake and its plugins that auxseg reads, sets or replaces.

Snakemake's public interface is its command line, the language of Snakefiles and `snakemake.api`. A workflow that asks
DVC what is stale needs a little more. Each function below says why there is no public way, and what could replace it.
No other file imports `snakemake`, its plugins or `kubernetes`. tests/engines/test_internals.py checks that each name
exists and takes the arguments used here, so an incompatible upgrade fails there first. CONTRIBUTING.md explains how to
upgrade.

`workflow` is the object of this name in a Snakefile.
"""

import asyncio
import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from snakemake.cli import main
from snakemake.jobs import Job
from snakemake.settings.enums import RerunTrigger

from auxseg.engines.slurm_outage import keeping_jobs, submitting_with_care

SLURM = "snakemake_executor_plugin_slurm"


def run_snakemake(*arguments: str) -> None:
    """Do what the command `snakemake` does, in this process, and exit.

    Not in a subprocess, because plugins have to be changed in the process that uses them.
    """
    main(list(arguments))


def is_main(workflow: Any) -> bool:
    """Tell whether this process schedules; jobs read the Snakefile too. There is no documented way to ask."""
    return bool(workflow.is_main_process)


def is_dry(workflow: Any) -> bool:
    """Tell whether no job will run: a dry run, `--touch`, or no executor, as with `--dag` and `--summary`.

    A dry run must not restore results. Snakemake knows this when it has read the rules, but has no documented way to
    ask.
    """
    return bool(workflow.executor_plugin is None or workflow.dryrun or workflow.touch)


def is_remote(workflow: Any) -> bool:
    """Tell whether jobs run on other machines, where the batch system assigns GPUs and CPUs. A rule has no documented
    way to ask."""
    return bool(workflow.remote_exec)


def is_locked() -> bool:
    """Tell whether another Snakemake is running in this folder, or was killed there. Only `--unlock` is public."""
    return any(Path(".snakemake/locks").glob("*"))


def unlock_folder() -> None:
    """Remove the locks of a Snakemake that was killed in this folder. Public only as a command of its own, `--unlock`,
    which people have to know of."""
    for path in Path(".snakemake/locks").glob("*"):
        path.unlink(missing_ok=True)


def trust_stamps(workflow: Any) -> None:
    """Let only the stamps decide what runs, not what Snakemake remembers of jobs: inputs, parameters, code, kills.

    `--rerun-triggers mtime --rerun-incomplete` does this too, but only on the command line and in profiles. Without
    this, a plain `snakemake` would re-run what DVC considers up to date.
    """
    workflow.dag_settings.rerun_triggers = frozenset({RerunTrigger.MTIME})
    workflow.dag_settings.force_incomplete = True
    workflow.dag.ignore_incomplete = True


def limit_retries(is_rejected: Callable[[str, str], bool]) -> None:
    """Do not retry a job that rejected its input, as told by `is_rejected(rule, key)`.

    A rule's `retries` is one number for all of its jobs and all kinds of failure. If it could be a function, as
    resources can, that would replace this.
    """

    def restart_times(job: Job) -> int:
        return 0 if is_rejected(job.rule.name, job.wildcards.key) else job.rule.restart_times

    Job.restart_times = property(restart_times)


def survive_slurm_outages() -> None:
    """Let the Slurm plugin, if this process uses it, keep its jobs until Slurm answers, submit when it does, and report
    a job that it cannot submit or that Slurm has forgotten.

    The plugin forgets jobs if squeue fails, waits forever for one that Slurm has forgotten, and never looks at the
    result of a submission. It has no options to change that.
    """
    plugin: Any = sys.modules.get(SLURM)
    if plugin:  # if it is installed, Snakemake has imported it by now

        def report(executor: Any, job: Any, why: str) -> None:
            executor._report_job_error_threadsafe(plugin.SubmittedJobInfo(job), why)

        executor = plugin.Executor
        executor.check_active_jobs, plugin.query_job_status = keeping_jobs(
            executor.check_active_jobs, plugin.query_job_status
        )
        executor.run_job, executor.shutdown = submitting_with_care(executor.run_job, executor.shutdown, report)


def remove_slurm_pauses() -> None:
    """Let the Slurm plugin submit without pauses and look at the queue every second. Only for tests.

    To spare a site's controller, it sleeps 5 s before each submission, and it waits 10 s longer after each look at the
    queue in which no job had ended. It has no options for either.
    """
    import snakemake_executor_plugin_slurm as plugin

    async def sleep(executor: Any) -> None:
        await asyncio.sleep(1)

    plugin.Executor.sleep = sleep
    plugin.time = SimpleNamespace(time=time.time, sleep=lambda seconds: None)


def share_kubernetes_volume() -> None:
    """Adapt the Kubernetes plugin to pods that share a volume with the clone on it. It has no options for any of this.

    - Jobs share files. The plugin says they do not, and then Snakemake copies the Snakefile and every stamp to each pod
      through object storage.
    - A failed pod's log is read from its own container. The plugin asks for the previous container's, which a pod that
      is never restarted does not have, and the API server's error would end the whole run.
    - Pods get more shared memory. The default of 64 MB is too little for the processes that load a GPU's batches.
    """
    import kubernetes.client as api
    import snakemake_executor_plugin_kubernetes as plugin

    plugin.common_settings.implies_no_shared_fs = False
    plugin.common_settings.job_deploy_sources = False
    plugin.common_settings.auto_deploy_default_storage_provider = False
    api.CoreV1Api.read_namespaced_pod_log = _of_this_container(api.CoreV1Api.read_namespaced_pod_log)
    api.BatchV1Api.create_namespaced_job = _with_shared_memory(api.BatchV1Api.create_namespaced_job)


def _of_this_container(read_log: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(read_log)
    def read_own_log(client: Any, *arguments: Any, **options: Any) -> str:
        return read_log(client, *arguments, **{**options, "previous": False})

    return read_own_log


def _with_shared_memory(create_job: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create_job)
    def create_job_with_memory(client: Any, namespace: str, body: Any, **options: Any) -> Any:
        """Create the job with /dev/shm in memory, which counts towards the job's memory."""
        import kubernetes.client as api

        pod = body.spec.template.spec
        memory = api.V1Volume(name="shared-memory", empty_dir=api.V1EmptyDirVolumeSource(medium="Memory"))
        pod.volumes = [*(pod.volumes or []), memory]
        for container in pod.containers:
            mount = api.V1VolumeMount(name=memory.name, mount_path="/dev/shm")
            container.volume_mounts = [*(container.volume_mounts or []), mount]
        return create_job(client, namespace, body, **options)

    return create_job_with_memory
