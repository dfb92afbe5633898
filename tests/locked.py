"""What the locks pin."""

import re
from pathlib import Path


def canonical(name: str) -> str:
    """Return the name of a distribution as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(lock: Path) -> dict[str, list[str]]:
    """Return the hashes of each distribution that a lock pins."""
    lines = [line for line in lock.read_text("utf-8").splitlines() if not line.startswith("#")]
    pins = "\n".join(lines).replace("\\\n", " ").splitlines()
    return {canonical(pin.split("==")[0]): re.findall(r"--hash=sha256:([0-9a-f]{64})(?= |$)", pin) for pin in pins}
