"""`make env` (workflow/environment.sh): which Python it takes, what it installs. Python, pip and uv are made up."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from locked import locked

ROOT = Path(__file__).resolve().parents[1]

PYTHON = """\
#!/bin/sh
case "$2" in
  *ensurepip*) exit {fits} ;;
  *sysconfig*) echo {include}; exit ;;
esac
echo "$(basename "$0") $*" >> {calls}
if [ "$2" = auxseg.published ]; then exit {weights}; fi
if [ "$2" = venv ]; then mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; fi
"""


NO_WEIGHTS = 7


class Machine:
    """A folder with the scripts and the lock, and a PATH that has only what a test puts there."""

    def __init__(self, folder: Path):
        self.folder, self.bin, self.calls = folder, folder / "bin", folder / "calls.txt"
        for path in ("workflow/environment.sh", "workflow/packages.sh", "requirements.lock"):
            (folder / path).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / path, folder / path)
        (folder / "include").mkdir()
        (folder / "include/Python.h").touch()
        self.bin.mkdir()
        for name in ("sh", "awk", "grep", "cp", "mkdir", "touch", "basename"):
            (self.bin / name).symlink_to(shutil.which(name))
        self.program("c++", "#!/bin/sh\n")

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def python(self, name: str, fits: bool, weights: int = 0) -> None:
        """Add a Python; fetching the weights with it ends with the exit code `weights`."""
        include = self.folder / "include"
        text = PYTHON.format(fits=int(not fits), include=include, calls=self.calls, weights=weights)
        self.program(name, text)

    def env(self, *pythons: str, torch: str = "") -> subprocess.CompletedProcess:
        stamp = f".venv/.installed{'-' if torch else ''}{torch}"
        command = ["sh", "workflow/environment.sh", ".venv", stamp, torch, *pythons]
        done = subprocess.run(
            command, cwd=self.folder, env={"PATH": str(self.bin)}, capture_output=True, text=True, check=False
        )
        assert (self.folder / stamp).exists() == (done.returncode in (0, NO_WEIGHTS))
        return done

    def called(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


def dry_run(folder: Path, *arguments: str) -> str:
    """Return the commands that make would run."""
    command = ["make", "--dry-run", *arguments]
    return subprocess.run(command, cwd=folder, env=outside(), capture_output=True, text=True, check=True).stdout


def outside() -> dict[str, str]:
    """Return the environment without what a `make test` around this test passes on."""
    passed = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "TORCH", "PYTHON")
    return {name: value for name, value in os.environ.items() if name not in passed}


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_the_first_python_that_fits_is_taken(machine):
    machine.python("python3", fits=False)
    machine.python("python3.12", fits=True)
    machine.python("python3.11", fits=True)
    done = machine.env("python3", "python3.13", "python3.12", "python3.11")
    assert done.returncode == 0, done.stderr
    assert machine.called()[0] == "python3.12 -m venv --clear .venv"
    assert done.stdout.startswith("installing the packages of requirements.lock into .venv: about 3.5 GB to download")


def test_an_environment_without_weights_is_not_made_again(machine):
    """A mirror without them, or a home that cannot be written: the packages are there all the same."""
    machine.python("python3", fits=True, weights=NO_WEIGHTS)
    assert machine.env("python3").returncode == NO_WEIGHTS
    assert machine.called()[-1] == "python -m auxseg.published"
    machine.env("python3")
    assert sum(" -m venv " in call for call in machine.called()) == 1


def test_the_environment_of_another_clone_is_not_cleared_through_a_link(machine):
    machine.python("python3", fits=True)
    (machine.folder / "theirs").mkdir()
    (machine.folder / ".venv").symlink_to("theirs")
    done = machine.env("python3")
    assert done.returncode == 2 and machine.called() == []
    assert done.stderr == "error: .venv is a link to another environment, which stays as it is; remove the link\n"


def test_uv_brings_an_interpreter(machine):
    machine.python("python3", fits=False)
    machine.python("brought", fits=True)
    machine.program("uv", '#!/bin/sh\n[ "$2" = install ] || echo brought\n')
    assert machine.env("python3").returncode == 0
    assert machine.called()[0] == "brought -m venv --clear .venv"


def test_without_a_python_it_stops_with_one_line(machine):
    machine.python("python3", fits=False)
    done = machine.env("python3", "python3.13")
    assert done.returncode == 2 and machine.called() == []
    assert done.stderr == (
        "error: none of python3 python3.13 is Python 3.11 to 3.13 with the module venv (Debian: python3-venv), "
        "and no uv brings one\n"
    )


@pytest.mark.parametrize("missing", ["bin/c++", "include/Python.h"])
def test_what_builds_pydensecrf_is_looked_for_before_the_download(machine, missing):
    machine.python("python3", fits=True)
    (machine.folder / missing).unlink()
    done = machine.env("python3")
    assert done.returncode == 2 and machine.called() == []
    assert done.stderr == "error: pydensecrf2 needs a C++ compiler and Python's headers (Debian: g++ python3-dev)\n"


def test_build_tools_come_first_then_the_lock_then_the_weights(machine):
    machine.python("python3", fits=True)
    machine.env("python3")
    assert machine.called()[1:] == [
        "python -m pip install --require-hashes --requirement requirements.build.lock",
        "python -m pip install --require-hashes --no-build-isolation --requirement requirements.lock",
        "python -m pip install --disable-pip-version-check --no-build-isolation --no-deps --editable .",
        "python -m auxseg.published",
    ]


@pytest.mark.parametrize(
    ("hashes", "line"),
    [
        ("--hash=sha256:" + "0" * 64 + " --hash=sha256:{right}", None),
        ("--hash=sha256:" + "0" * 64, "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE"),
        ("", "ERROR: Hashes are required in --require-hashes mode, but they are missing"),
    ],
)
def test_real_pip_installs_no_file_of_another_hash(tmp_path, hashes, line):
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "")
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    right = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (tmp_path / "requirements.build.lock").write_text(f"tiny==1.0 --hash=sha256:{right}\n")
    (tmp_path / "own.lock").write_text(f"tiny==1.0 {hashes.format(right=right)}\n")
    pip = {"NO_INDEX": "1", "FIND_LINKS": str(tmp_path), "CONFIG_FILE": os.devnull, "TARGET": str(tmp_path / "there")}
    done = subprocess.run(
        ["sh", ROOT / "workflow/packages.sh", sys.executable, "own.lock"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **{f"PIP_{name}": value for name, value in pip.items()}},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.count("Successfully installed tiny-1.0") == (1 if line else 2), done.stdout
    assert (done.returncode == 0) == (line is None)
    assert (line or "") in done.stderr


def test_an_environment_that_is_there_is_updated(machine):
    machine.python("python3", fits=True)
    machine.env("python3")
    machine.calls.unlink()
    assert machine.env("python3").returncode == 0
    assert not [call for call in machine.called() if "venv" in call]


def test_torch_cpu_takes_pytorchs_own_index_and_no_cuda(machine):
    machine.python("python3", fits=True)
    done = machine.env("python3", torch="cpu")
    assert "0.7 GB to download" in done.stdout.splitlines()[0]
    assert re.fullmatch(
        r"python -m pip install --no-deps --index-url https://download\.pytorch\.org/whl/cpu "
        r"torch==[\d.]+ torchvision==[\d.]+",
        machine.called()[1],
    )
    cpu = "python -m pip install --require-hashes --no-build-isolation --requirement .venv/requirements.cpu.lock"
    assert cpu in machine.called()
    left, whole = (locked(machine.folder / path) for path in (".venv/requirements.cpu.lock", "requirements.lock"))
    cuda = {name for name in whole if name.startswith(("nvidia-", "cuda-", "triton"))}
    assert len(cuda) > 10 and {"torch", "torchvision", "numpy"} <= left.keys()
    assert left == {name: hashes for name, hashes in whole.items() if name not in cuda}


def test_tools_are_installed_for_tests_and_linters_alone(tmp_path):
    for name in ("Makefile", "requirements.lock", "requirements.dev.lock", "requirements.build.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    for target, expected in {"demo": 0, "env": 0, "test": 1, "lint": 1, "test-cluster": 1, "test-nightly": 1}.items():
        assert dry_run(tmp_path, target).count("--requirement requirements.dev.lock") == expected, target


@pytest.mark.parametrize(("code", "said"), [(0, ""), (1, "error: vulnerable, or not audited; ")])
def test_an_audit_passes_only_if_every_package_was_looked_up(tmp_path, code, said):
    make = ["make", "--file", ROOT / "Makefile", "--old-file", ".venv/.installed", "audit-dependencies"]
    for name in (".venv/bin/python", ".auxseg/pip-audit/bin/python", ".auxseg/pip-audit/bin/pip-audit"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f'#!/bin/sh\necho "$@" >> calls\nexit {code if name.endswith("audit") else 0}\n')
        (tmp_path / name).chmod(0o755)
    for name in (".venv/.installed", "requirements.lock", "requirements.build.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    done = subprocess.run(make, cwd=tmp_path, env=outside(), capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (code == 0)
    assert done.stderr.startswith(said)
    asked = (tmp_path / "calls").read_text().splitlines()[-1]
    assert "--strict" in asked
    assert asked.endswith(" ".join(f"--requirement requirements{kind}.lock" for kind in ("", ".dev", ".build")))


def test_another_torch_is_an_error(machine):
    done = machine.env("python3", torch="gpu")
    assert done.returncode == 2
    assert done.stderr == "error: TORCH=gpu: expected cpu, or nothing for the builds with CUDA\n"


@pytest.mark.parametrize(
    ("installed", "arguments", "expected"),
    [
        ([], [], '".venv/.installed" "" python3 python3.13 python3.12 python3.11'),
        ([], ["TORCH=cpu", "PYTHON=python3.12"], '".venv/.installed-cpu" "cpu" python3.12'),
        ([".installed-cpu"], [], '".venv/.installed-cpu" "cpu" python3 '),
    ],
)
def test_make_passes_its_variables_and_remembers_torch(tmp_path, installed, arguments, expected):
    for name in ("Makefile", "requirements.lock", "requirements.build.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").mkdir()
    for name in installed:
        (tmp_path / ".venv" / name).touch()
        os.utime(tmp_path / ".venv" / name, (1, 1))  # older than the lock
    assert expected in dry_run(tmp_path, "env", *arguments)


@pytest.mark.parametrize("state", ["good", "moved", "without Python"])
def test_an_environment_of_another_folder_is_made_again(tmp_path, state):
    """A project that was copied with its .venv would run the code of the first; one that was moved, none."""
    folder = tmp_path / "my project"
    locks = ("requirements.lock", "requirements.build.lock")
    for name in ("Makefile", "pyproject.toml", "src/auxseg/__init__.py", *locks):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    if state == "moved":
        shutil.copytree(folder / "src", tmp_path / "before/src")
    source = (tmp_path / "before" if state == "moved" else folder) / "src"
    (folder / ".venv/bin").mkdir(parents=True)
    if state != "without Python":
        (folder / ".venv/bin/python").write_text(
            f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(source)!r})\nexec(sys.argv[-1])\n"
        )
        (folder / ".venv/bin/python").chmod(0o755)
    (folder / ".venv/.installed").touch()
    commands = dry_run(folder, "env")
    assert ("lost its Python" in commands) == ("workflow/environment.sh" in commands) == (state != "good"), commands


def test_coverage_removes_its_own_folder_alone(tmp_path):
    folder = tmp_path / "my projects" / "auxseg"
    folder.mkdir(parents=True)
    for name in ("Makefile", "requirements.lock", "requirements.dev.lock", "requirements.build.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    commands = dry_run(folder, "coverage")
    assert "rm -rf .auxseg/coverage && mkdir -p .auxseg/coverage\n" in commands
    assert f'COVERAGE_FILE="{folder}/.auxseg/coverage/data"' in commands
