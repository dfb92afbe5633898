"""Snakemake on Kubernetes with a volume that all pods share: what `snakemake` does, with the profile beside this file.

    python workflow/profiles/kubernetes/run.py [ARGUMENTS OF SNAKEMAKE]

The plugin is told three things that it has no options for:

- that its jobs share files. It says they do not, and Snakemake then insists on carrying the Snakefile and every stamp
  to each pod through object storage; here all of that is on one volume.
- that a failed pod's log is its own. It asks for that of the container before, which a pod that is never restarted does
  not have, and the API server's refusal would end the whole run.
- that pods get shared memory. Theirs is 64 MB, too little for the processes that load a GPU's batches.
"""

import functools
import sys
from pathlib import Path
from typing import Any

import kubernetes.client as api
import snakemake_executor_plugin_kubernetes as plugin
from snakemake.cli import main

read_log = api.CoreV1Api.read_namespaced_pod_log
create_job = api.BatchV1Api.create_namespaced_job


@functools.wraps(read_log)
def read_own_log(self: api.CoreV1Api, *arguments: Any, **options: Any) -> str:
    """Return the log of the container itself."""
    return read_log(self, *arguments, **{**options, "previous": False})


@functools.wraps(create_job)
def create_job_with_memory(self: api.BatchV1Api, namespace: str, body: api.V1Job, **options: Any) -> api.V1Job:
    """Create the job, with /dev/shm in memory: what is written there counts as the job's."""
    pod = body.spec.template.spec
    memory = api.V1Volume(name="shared-memory", empty_dir=api.V1EmptyDirVolumeSource(medium="Memory"))
    pod.volumes = [*(pod.volumes or []), memory]
    for container in pod.containers:
        mount = api.V1VolumeMount(name=memory.name, mount_path="/dev/shm")
        container.volume_mounts = [*(container.volume_mounts or []), mount]
    return create_job(self, namespace, body, **options)


if __name__ == "__main__":
    plugin.common_settings.implies_no_shared_fs = False
    plugin.common_settings.job_deploy_sources = False
    plugin.common_settings.auto_deploy_default_storage_provider = False
    api.CoreV1Api.read_namespaced_pod_log = read_own_log
    api.BatchV1Api.create_namespaced_job = create_job_with_memory
    main(["--workflow-profile", str(Path(__file__).parent), *sys.argv[1:]])
