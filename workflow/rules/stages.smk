"""One rule a stage. A job runs one instance, see auxseg.pipeline.job."""

# A rule's `shell` is evaluated when its job runs, after this loop: nothing in it may be the loop's variable. All else
# is evaluated at once, or keeps its stage as a default argument.
for stage, needs in or_exit(stage_needs).items():

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
            # a batch system hands out its own devices
            devices=lambda wildcards, resources: 0 if workflow.remote_exec else resources.get("gpu", 0),
            # what the job is given: on a cluster by `set-resources: cpus_per_task`, here at most the cores there are
            workers=lambda wildcards, resources, threads: (
                resources.get("cpus_per_task", threads) if workflow.remote_exec else threads
            ),
        wildcard_constraints:
            key="[^/]+",
        threads: needs["cpus_per_task"]
        resources:
            # a job that was killed for want of memory or time gets more at its next attempt
            **{name: growing(need) if name in ("mem_mb", "runtime") else need for name, need in needs.items()},
        shell:
            "LOKY_MAX_CPU_COUNT={params.workers} {REFUSAL}={params.note:q} "
            "{params.python:q} -m auxseg.pipeline.devices {params.devices} "
            "{params.python:q} -m auxseg.pipeline.job {params.address:q} > {log:q} 2>&1 || "
            "{{ code=$?; echo 'stage {params.address} failed; the end of {log}:' >&2; tail -n 30 {log:q} >&2; "
            "exit $code; }}"
