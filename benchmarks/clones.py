"""Clones of the project in which a benchmark runs the pipeline, with the code of HEAD, not of the working tree."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def head(project: Path) -> str:
    """Return the commit that a project has checked out."""
    return _git(project, "rev-parse", "HEAD")


def is_dirty(project: Path, *paths: str) -> bool:
    """Tell whether files below some paths differ from what is committed."""
    return bool(_git(project, "status", "--porcelain", "--", *paths))


def clone(project: Path, folder: Path, commit: str) -> None:
    """Make `folder` a clone of `project` at `commit`; an existing clone is left as it is."""
    if (folder / ".git").is_dir() and head(folder) == commit:
        return
    shutil.rmtree(folder, ignore_errors=True)
    _git(project, "clone", "-q", "--no-checkout", str(project), str(folder))
    _git(folder, "checkout", "-q", "--detach", commit)


def share_cache(project: Path, folder: Path) -> None:
    """Let a clone use the project's DVC cache, so that it finds what other clones have computed."""
    cache = call(project, "-m", "dvc", "cache", "dir", capture=True).strip()
    (folder / ".dvc/config.local").write_text(
        f'[cache]\n    dir = {(project / cache).resolve()}\n    type = "reflink,hardlink,symlink,copy"\n'
    )


def call(
    folder: Path,
    *arguments: str,
    capture: bool = False,
    log: Path | None = None,
    settings: dict[str, str] | None = None,
) -> str:
    """Run Python in a project folder with its own code; return what it printed if `capture`, else append to `log`.

    Raises:
        subprocess.CalledProcessError: it did not exit with 0.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(folder / "src"), **(settings or {})}
    command = [sys.executable, *arguments]
    if log is not None:
        with log.open("a") as stream:
            subprocess.run(command, cwd=folder, env=environment, check=True, stdout=stream, stderr=stream)
        return ""
    out = subprocess.PIPE if capture else None
    return subprocess.run(command, cwd=folder, env=environment, check=True, text=True, stdout=out).stdout or ""


def _git(folder: Path, *arguments: str) -> str:
    if not (folder / ".git").exists() and "clone" not in arguments:
        sys.exit(
            f"error: {folder} is not a git repository (from a ZIP archive?), and experiments run in clones of it; run "
            "`git init && git add -A && git commit -m start` there, or clone it with git"
        )
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, text=True, stdout=subprocess.PIPE)
    return done.stdout.strip()
