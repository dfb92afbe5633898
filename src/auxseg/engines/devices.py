"""Share the GPUs of one machine among jobs: a GPU belongs to one job at a time.

    python -m auxseg.engines.devices 1 COMMAND ...

Snakemake counts GPUs but does not assign them. This waits until as many as requested are free, names them in
CUDA_VISIBLE_DEVICES and becomes the command. Each GPU has a slot file; the job holds a lock on it, which the operating
system drops when the process ends, however it ends. All clones of a user on the machine share the files. Only for local
jobs, because a batch system assigns GPUs itself. With AUXSEG_DEVICE=cpu a job takes no GPU.
"""

import fcntl
import os
import sys
import tempfile
import time
from itertools import takewhile
from pathlib import Path

from auxseg.errors import AuxsegError, ResourceError

SECONDS_BETWEEN_TRIES = 1.0


def machine_devices() -> list[str]:
    """Return the names of the usable GPUs: those of CUDA_VISIBLE_DEVICES if it is set, else all."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        names = takewhile(lambda name: not name.startswith("-"), map(str.strip, visible.split(",")))  # as CUDA reads it
        return [name for name in names if name]
    # counted, not read from the names: in a container with some of the GPUs the files keep the machine's numbers, but
    # CUDA counts from 0
    return [str(number) for number in range(len(list(Path("/dev").glob("nvidia[0-9]*"))))]


def slot_folder() -> Path:
    """Return the folder of the slot files, on a local disk."""
    # inside a Slurm allocation, GPUs may be numbered from 0 whatever their real numbers are
    allocation = f"-slurm{job}" if (job := os.environ.get("SLURM_JOB_ID")) else ""
    return Path(tempfile.gettempdir()) / f"auxseg-devices-{os.getuid()}{allocation}"


def take(count: int, devices: list[str], folder: Path) -> dict[str, int]:
    """Wait for `count` of `devices` and lock their slots; return name -> open file descriptor.

    It takes all or none, because two jobs that each hold half of what they need would wait forever.

    Raises:
        ResourceError: there are fewer devices than `count`.
    """
    if count > len(devices):
        raise ResourceError(
            f"a job asks for {count} GPUs and this machine has {len(devices)}; "
            "lower gpu of the stage (its meta in dvc.yaml, or set-resources in the profile) or `devices` of its section"
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    waited = False
    while True:
        taken: dict[str, int] = {}
        for name in devices:
            if len(taken) < count and (descriptor := _lock(folder / name)) is not None:
                taken[name] = descriptor
        if len(taken) == count:
            return taken
        for descriptor in taken.values():
            os.close(descriptor)
        if not waited:
            print(f"waiting for {count} of GPUs {', '.join(devices)}; see {folder}", file=sys.stderr, flush=True)
            waited = True
        time.sleep(SECONDS_BETWEEN_TRIES)


def _lock(path: Path) -> int | None:
    """Lock a slot file and write the process id into it, for people; return None if another process has the lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    os.truncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def main(count: int, command: list[str]) -> None:
    """Take `count` devices and become `command`; without GPUs, or on the CPU, just become the command."""
    chosen = os.environ.get("AUXSEG_DEVICE", "")
    devices = [] if chosen == "cpu" else machine_devices()
    if count and devices:
        taken = take(count, devices, slot_folder())
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(taken)
        if chosen.startswith("cuda:"):
            os.environ["AUXSEG_DEVICE"] = "cuda"  # a number would count all GPUs, and the command sees those taken
        for descriptor in taken.values():
            os.set_inheritable(descriptor, True)  # otherwise exec would close it and release the slot
    os.execvp(command[0], command)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), sys.argv[2:])
    except AuxsegError as error:
        sys.exit(f"error: {error}")
