"""`pipeline`: how Snakemake's jobs record their results in DVC. No stage reads it, so a change re-runs nothing."""

from typing import ClassVar, Literal

from auxseg.params.section import Section


class PipelineParams(Section):
    """How the jobs of Snakemake record their results; `dvc repro` always records for itself."""

    key: ClassVar[str] = "pipeline"

    record: Literal["job", "controller"] = "job"
    """job: each job runs through DVC and writes dvc.lock. controller: a job runs the command alone and leaves a
    receipt; Snakemake's main process records all receipts when it ends. For about 300 instances or more
    (docs/scale.md)."""
