"""Entry point of `auxseg`: parse, run one command, turn a refusal into one line and exit code 2."""

import argparse
import errno
import sys
from pathlib import Path

from auxseg.cli import (
    audit,
    check,
    download,
    export,
    params,
    predict,
    record,
    rounds,
    run,
    scan,
    shards,
    table,
    use,
    verdicts,
    weights,
)
from auxseg.errors import EXIT_FAILED, EXIT_REFUSED, AuxsegError, ParamsError, ResourceError

COMMANDS = (
    download,
    use,
    rounds,
    shards,
    check,
    scan,
    run,
    table,
    predict,
    export,
    params,
    weights,
    verdicts,
    audit,
    record,
)
"""Modules with `add(subparsers)`, which registers the parser and sets `run`, a function of the arguments.

It returns the exit code, or None for 0."""

ANYWHERE = ("download", "weights")
"""Commands that look at no project."""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    parser = argparse.ArgumentParser(
        prog="auxseg",
        description="Set up the pipeline, run it, look at its results. `dvc repro` and `snakemake` run it too.",
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(subparsers)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit code."""
    parsed = build_parser().parse_args(arguments)
    try:
        if parsed.command not in ANYWHERE:
            _require_project()
        code = parsed.run(parsed) or 0
    except AuxsegError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_FAILED if isinstance(error, ResourceError) else EXIT_REFUSED
    except BrokenPipeError:
        sys.stderr.close()  # the reader (head, less) went away; Python would complain at exit
        return EXIT_FAILED
    except OSError as error:  # a folder where a file was expected, no permission, a full disk
        if error.filename is None:
            raise
        print(f"error: {error.filename}: {error.strerror}; mend that or give another path", file=sys.stderr)
        return EXIT_FAILED if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO) else EXIT_REFUSED
    except KeyboardInterrupt:
        return 130
    return code


def _require_project() -> None:
    if not Path("dvc.yaml").is_file():
        raise ParamsError("dvc.yaml: no such file here; run auxseg in the project's root, the folder that holds it")


if __name__ == "__main__":
    sys.exit(main())
