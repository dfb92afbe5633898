"""One rule a stage. A job runs one instance through DVC, which skips, restores or runs it and records the result."""

# A rule's `shell` is evaluated when its job runs, after this loop: nothing in it may be the loop's variable. All else
# is evaluated at once, or keeps its stage as a default argument.
for stage, meta in stage_needs().items():

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
        wildcard_constraints:
            key="[^/]+",
        threads: meta.get("cpus", 1)
        resources:
            cpus_per_task=meta.get("cpus", 1),
            **{name: meta[name] for name in ("gpu", "mem_mb", "runtime") if name in meta},
        shell:
            "{params.python:q} -m dvc --wait-for-lock repro --single-item {params.address:q} > {log:q} 2>&1 || "
            "{{ code=$?; echo 'stage {params.address} failed; the end of {log}:' >&2; tail -n 30 {log:q} >&2; "
            "exit $code; }}"
