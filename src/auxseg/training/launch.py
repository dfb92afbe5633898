"""Start the processes of a training: torchrun on one machine, srun with one torchrun per node on several.

    python -m auxseg.training.launch TORCHRUN-ARGUMENTS SCRIPT ...      what srun runs on every node

The command is torchrun, except that it ends with the exit code of the processes.
"""

import os
import signal
import socket
import subprocess
import sys

from auxseg.errors import EXIT_FAILED, EXIT_REJECTED, EXIT_TERMINATED, ParamsError, ResourceError
from auxseg.params.training import TrainingParams
from auxseg.torchrun import AGENT, torchrun_rank


def launch(params: TrainingParams, threads: int) -> bool:
    """Run this script again in `devices` processes on each of `nodes` machines, with `threads` threads each.

    Returns:
        Whether it did. False if this is one of those processes, or if one process is enough.

    Raises:
        ParamsError: several nodes were requested without a Slurm allocation of that many nodes.
        SystemExit: a process failed; has its exit code.
    """
    if torchrun_rank() is not None or params.processes == 1:
        return False
    os.environ["OMP_NUM_THREADS"] = str(threads)
    # otherwise each process warns that it looked for parameters without a gradient and found none
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    processes, script = [f"--nproc-per-node={params.devices}"], list(sys.argv)
    alone = params.nodes == 1
    code = agent(["--standalone", *processes, *script]) if alone else _on_nodes(params, [*processes, *script])
    if code:
        sys.exit(code)
    return True


def agent(arguments: list[str]) -> int:
    """Run torchrun with `arguments`; return 0 or the most informative exit code of the processes."""
    # imported here, because a single process does not need them
    from torch.distributed import run as torchrun
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    os.environ[AGENT] = str(os.getpid())
    try:
        torchrun.run(torchrun.parse_args(arguments))
    except ChildFailedError as error:
        codes = {failure.exitcode for failure in error.failures.values()}
        if EXIT_REJECTED in codes:
            return EXIT_REJECTED
        # after a failure torchrun ends the other processes with SIGTERM
        return EXIT_TERMINATED if codes <= {EXIT_TERMINATED, -signal.SIGTERM} else EXIT_FAILED
    except SignalException as stopped:
        return 128 + stopped.sigval
    return 0


def srun_command(job: str, nodes: int, cpus: str, host: str, port: int, arguments: list[str]) -> list[str]:
    """Return the command that runs one agent with `arguments` on each of `nodes` nodes of a Slurm job.

    Each gets `cpus` CPUs, or what Slurm gives by itself if that is empty. The agents meet at a free `port` of `host`,
    the node of this process.
    """
    return [
        "srun",
        f"--nodes={nodes}",
        f"--ntasks={nodes}",
        "--ntasks-per-node=1",
        # srun does not take over the job's CPUs by itself (since Slurm 22.05), and may bind all processes to one
        *([f"--cpus-per-task={cpus}"] if cpus else []),
        "--cpu-bind=none",
        "--overlap",  # this process may itself run in a step that occupies the whole job
        # for ever: after training only the first node works, and the seconds would count from the end of the others
        "--wait=0",
        sys.executable,
        "-m",
        "auxseg.training.launch",
        f"--nnodes={nodes}",
        "--rdzv-backend=c10d",
        f"--rdzv-endpoint={host}:{port}",
        f"--rdzv-id={job}",
        *arguments,
    ]


def _on_nodes(params: TrainingParams, arguments: list[str]) -> int:
    job = _job_of(params)
    with socket.socket() as probe:
        probe.bind(("", 0))
        port = probe.getsockname()[1]
    # without this filter, the settings of this process's own step would become requests of the new one
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in ("SLURM_JOB_ID", "SLURM_CONF") or not name.startswith(("SLURM_", "SRUN_", "SBATCH_"))
    }
    command = srun_command(job, params.nodes, _cpus(), socket.gethostname(), port, arguments)
    process = subprocess.Popen(command, env=environment)
    # srun forwards the signal to every node; its exit code says whether they all stopped properly
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    return process.wait()


def _cpus() -> str:
    # Snakemake's plugin removes the first, and the Snakefile sets the second
    known = (os.environ.get(name, "") for name in ("SLURM_CPUS_PER_TASK", "LOKY_MAX_CPU_COUNT"))
    return next((number for number in known if number.isdigit()), "")


def _job_of(params: TrainingParams) -> str:
    job, allocated = os.environ.get("SLURM_JOB_ID"), 0
    if job is not None:
        allocated = _nodes_of(job)
    if job is None or allocated < params.nodes:
        found = "none" if job is None else f"one of {allocated}"
        raise ParamsError(
            f"{params.key}.nodes: {params.nodes} needs a Slurm job of {params.nodes} nodes, this is {found}; "
            "run it through the profile slurm, which requests that many, or lower it"
        )
    return job


def _nodes_of(job: str) -> int:
    # not SLURM_JOB_NUM_NODES, because it is not set in a step of one task, such as those that Snakemake starts
    command = ["squeue", "--noheader", f"--jobs={job}", "--format=%D"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise ParamsError(f"squeue, which tells the nodes of Slurm job {job}, is not on PATH; add it") from None
    lines = answer.stdout.split()
    if answer.returncode or len(lines) != 1 or not lines[0].isdigit():
        said = " ".join((answer.stderr or answer.stdout).split()) or f"exit code {answer.returncode}"
        # not an error in the stage's input: a busy controller may answer at the next attempt
        raise ResourceError(f"`{' '.join(command)}` does not tell the nodes of this job ({said}); run the stage again")
    return int(lines[0])


if __name__ == "__main__":
    sys.exit(agent(sys.argv[1:]))
