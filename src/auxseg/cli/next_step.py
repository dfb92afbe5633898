"""The last line of a command: what to do next."""

REPRO = "auxseg run"
"""The command that runs everything that is out of date."""


def print_next(step: str) -> None:
    """Print the next step, a command or a short instruction, as one line that starts with `next: `."""
    print(f"next: {step}")
