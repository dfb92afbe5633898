"""One rule per stage. A job runs one instance, see auxseg.engines.job."""

# A rule's `shell` is evaluated when its job runs, after this loop, so it must not use the loop's variables. Everything
# else is evaluated immediately, or keeps its stage as a default argument.
for stage, asked in or_exit(stage_resources).items():

    rule:
        name:
            stage
        input:
            lambda wildcards, stage=stage: upstream_stamps(stage, wildcards.key),
        output:
            touch(str(stamp_of(join(stage, "{key}")))),
        log:
            f"logs/snakemake/{stage}/{{key}}.log",
        params:
            address=lambda wildcards, stage=stage: join(stage, wildcards.key),
            python=sys.executable,
            note=lambda wildcards, stage=stage: str(note_of(stage, wildcards.key)),
            # a batch system assigns devices itself
            devices=lambda wildcards, resources: 0 if internals.is_remote(workflow) else resources.get("gpu", 0),
            # on a cluster, a job that has a GPU must not compute on the CPU because its driver is too old
            device=lambda wildcards, resources: (
                "AUXSEG_DEVICE=${AUXSEG_DEVICE:-cuda} "
                if internals.is_remote(workflow) and resources.get("gpu", 0)
                else ""
            ),
            # on a cluster, what `set-resources: cpus_per_task` says; on this machine, at most its cores
            workers=lambda wildcards, resources, threads: (
                resources.get("cpus_per_task", threads) if internals.is_remote(workflow) else threads
            ),
        wildcard_constraints:
            key="[^/]+",
        threads: asked["cpus_per_task"]
        resources:
            # a job that was killed because it needed more memory or time gets more at its next attempt
            **{name: growing(value) if name in ("mem_mb", "runtime") else value for name, value in asked.items()},
        shell:
            "{params.device}LOKY_MAX_CPU_COUNT={params.workers} {REJECTION}={params.note:q} "
            "{params.python:q} -m auxseg.engines.devices {params.devices} "
            "{params.python:q} -m auxseg.engines.job {params.address:q} > {log:q} 2>&1 || "
            "{{ code=$?; echo 'stage {params.address} failed; the end of {log}:' >&2; tail -n 30 {log:q} >&2; "
            "exit $code; }}"
