"""Whether torchrun started this process; this works without importing torch."""

import os


def torchrun_rank() -> int | None:
    """Return this process's rank among those that torchrun started for one stage, or None without torchrun."""
    return int(os.environ["RANK"]) if "TORCHELASTIC_RUN_ID" in os.environ else None
