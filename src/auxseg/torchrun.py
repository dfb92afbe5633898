"""Whether torchrun started this process; this works without importing torch."""

import os

AGENT = "AUXSEG_TORCHRUN"
"""Environment variable with the process id of the torchrun that `auxseg.training.launch` started."""


def torchrun_rank() -> int | None:
    """Return this process's rank among those that torchrun started for one stage, or None without torchrun."""
    return int(os.environ["RANK"]) if "TORCHELASTIC_RUN_ID" in os.environ else None


def torchrun_agent() -> int:
    """Return the process id of the torchrun that started this process."""
    return int(os.environ.get(AGENT, os.getppid()))
