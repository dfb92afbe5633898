"""Whether torchrun started this process; asked where torch is not imported yet."""

import os


def torchrun_rank() -> int | None:
    """Return this process's number among those that torchrun started for one stage, or None: it was started alone."""
    return int(os.environ["RANK"]) if "TORCHELASTIC_RUN_ID" in os.environ else None
