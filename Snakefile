"""Run the DAG of dvc.yaml with Snakemake, on one machine or a cluster: Snakemake schedules, DVC decides and records.

    snakemake --cores 2                                        this machine
    snakemake -n                                               what would run, and nothing else
    snakemake --workflow-profile workflow/profiles/local       this machine, with its limits

The DAG is not defined a second time here: the main process asks DVC which stage instances exist and which are stale
(plan.smk), and each rule runs one stage through `dvc repro --single-item` (stages.smk). Rules have the names of stages,
so a profile can set resources by stage, as in `set-resources: {train: {mem_mb: 48000}}`.
"""

include: "workflow/rules/plan.smk"


rule all:
    default_target: True
    input:
        lambda wildcards: [str(stamp_of(address)) for address in plan()],


include: "workflow/rules/stages.smk"
