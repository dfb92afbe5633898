"""The DAG of dvc.yaml on a cluster: Snakemake schedules, DVC decides and records.

    snakemake --cores 2                                        this machine
    snakemake -n                                               what would run, and nothing else
    snakemake --workflow-profile workflow/profiles/local       this machine, with its limits

There is no second DAG: the main process asks DVC which stage instances exist and which are stale (plan.smk), and
each rule runs one stage through `dvc repro --single-item` (stages.smk). Rules have the names of stages, so that a
profile sets resources by stage, as in `set-resources: {train: {mem_mb: 48000}}`.
"""

include: "workflow/rules/plan.smk"


rule all:
    default_target: True
    input:
        lambda wildcards: [str(stamp_of(address)) for address in plan()],


include: "workflow/rules/stages.smk"
