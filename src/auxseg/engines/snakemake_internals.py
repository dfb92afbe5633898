"""Every name of Snakemake and its plugins that auxseg reads, sets or replaces and that they do not document.

Snakemake promises its command line, the language of Snakefiles and `snakemake.api`. A workflow that asks DVC what is
stale needs a little more. Each function below says why there is no public way, and what would replace it. No other file
imports `snakemake`, its plugins or `kubernetes`; tests/engines/test_internals.py checks that each name exists and takes
the arguments that it gets here, so that an upgrade fails there first. CONTRIBUTING.md tells how to upgrade.

`workflow` is the object that a Snakefile sees under this name.
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

from auxseg.engines.slurm_outage import when_slurm_answers

SLURM = "snakemake_executor_plugin_slurm"


def run_snakemake(*arguments: str) -> None:
    """Do what the command `snakemake` does, in this process, and exit.

    Not as a subprocess: plugins have to be changed in the process that uses them. Goes with those changes.
    """
    main(list(arguments))


def is_main(workflow: Any) -> bool:
    """Tell whether this process schedules; jobs read the Snakefile too. A Snakefile has no documented way to ask."""
    return bool(workflow.is_main_process)


def is_dry(workflow: Any) -> bool:
    """Tell whether no job will run: a dry run, `--touch`, or no executor, as with `--dag` and `--summary`.

    Known once rules are read, and not documented; a dry run must not restore results.
    """
    return bool(workflow.executor_plugin is None or workflow.dryrun or workflow.touch)


def is_remote(workflow: Any) -> bool:
    """Tell whether jobs run on other machines. A rule has no documented way to ask, and needs to: a batch system hands
    out its own GPUs and CPUs."""
    return bool(workflow.remote_exec)


def is_locked() -> bool:
    """Tell whether another Snakemake works in this folder, or was killed there. Only `--unlock` is public."""
    return any(Path(".snakemake/locks").glob("*"))


def unlock_folder() -> None:
    """Remove the locks of a Snakemake that was killed in this folder. Public only as a command of its own, `--unlock`,
    which people have to know of."""
    for path in Path(".snakemake/locks").glob("*"):
        path.unlink(missing_ok=True)


def trust_stamps(workflow: Any) -> None:
    """Let stamps alone say what is to be run, not what Snakemake remembers of jobs: inputs, parameters, code, kills.

    Public as `--rerun-triggers mtime --rerun-incomplete`, but only on the command line and in profiles: without this a
    bare `snakemake` would run again what DVC calls fresh.
    """
    workflow.dag_settings.rerun_triggers = frozenset({RerunTrigger.MTIME})
    workflow.dag_settings.force_incomplete = True
    workflow.dag.ignore_incomplete = True


def limit_retries(is_refused: Callable[[str, str], bool]) -> None:
    """Do not try a job again that rejected its input, which `is_refused(rule, key)` tells.

    `retries` of a rule is a number, the same for all of its jobs and all ways to fail. A function in its place, as
    resources may have, would replace this.
    """

    def restart_times(job: Job) -> int:
        return 0 if is_refused(job.rule.name, job.wildcards.key) else job.rule.restart_times

    Job.restart_times = property(restart_times)


def survive_slurm_outages() -> None:
    """Let the Slurm plugin, if this process uses it, ask about jobs only while Slurm's controller answers.

    The plugin takes a job that squeue does not name for one that it need not ask about again. It has no option for it.
    """
    if plugin := sys.modules.get(SLURM):  # by now Snakemake has imported it, where it is installed
        plugin.Executor.check_active_jobs = when_slurm_answers(plugin.Executor.check_active_jobs)


def remove_slurm_pauses() -> None:
    """Let the Slurm plugin submit without pauses and look at the queue every second. For tests alone.

    To spare a site's controller, it sleeps 5 s before each submission, and after a look in which no job had ended it
    looks 10 s later each time. It has options for neither.
    """
    import snakemake_executor_plugin_slurm as plugin

    async def sleep(executor: Any) -> None:
        await asyncio.sleep(1)

    plugin.Executor.sleep = sleep
    plugin.time = SimpleNamespace(time=time.time, sleep=lambda seconds: None)


def share_kubernetes_volume() -> None:
    """Fit the Kubernetes plugin to pods that share a volume with the clone on it. It has no options for any of this.

    - Jobs share files. The plugin says they do not, and Snakemake then insists on carrying the Snakefile and every
      stamp to each pod through object storage.
    - A failed pod's log is its own. The plugin asks for that of the container before, which a pod that is never
      restarted does not have, and the API server's error would end the whole run.
    - Pods get shared memory. Theirs is 64 MB, too little for the processes that load a GPU's batches.
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
        """Create the job, with /dev/shm in memory: what is written there counts as the job's."""
        import kubernetes.client as api

        pod = body.spec.template.spec
        memory = api.V1Volume(name="shared-memory", empty_dir=api.V1EmptyDirVolumeSource(medium="Memory"))
        pod.volumes = [*(pod.volumes or []), memory]
        for container in pod.containers:
            mount = api.V1VolumeMount(name=memory.name, mount_path="/dev/shm")
            container.volume_mounts = [*(container.volume_mounts or []), mount]
        return create_job(client, namespace, body, **options)

    return create_job_with_memory
