"""Settings of every test: one thread, so that tests that run in parallel do not compete for cores."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by torch and OpenMP when they are imported
os.environ.setdefault("AUXSEG_DEVICE", "cpu")  # for GPUs there is benchmarks/performance/gpu.py
# commits of the tests are neither signed nor checked by the hooks of whoever runs them
os.environ |= {"GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "commit.gpgsign", "GIT_CONFIG_VALUE_0": "false"}
os.environ |= {"GIT_CONFIG_KEY_1": "core.hooksPath", "GIT_CONFIG_VALUE_1": os.devnull}

# the same examples on every machine and no time limit on one: a busy machine must not fail
settings.register_profile("suite", deadline=None, derandomize=True, max_examples=50, database=None)
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first: `make test` hands whole files to two workers, which so end at about one time."""
    longest = ("test_real_stages.py", "test_kills.py", "test_snakefile.py", "test_own_data.py", "test_locks.py")
    items.sort(key=lambda item: longest.index(item.path.name) if item.path.name in longest else len(longest))


@pytest.fixture(scope="session", autouse=True)
def _own_dvc_cache(tmp_path_factory: pytest.TempPathFactory):
    """Keep DVC's per-machine database out of the machine's."""
    patch = pytest.MonkeyPatch()
    patch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path_factory.mktemp("site-cache")))
    yield
    patch.undo()


@pytest.fixture(scope="session")
def load_script():
    """Import a script that lies in no package, by its path relative to the root of the project."""

    def load(path, name=None):
        spec = importlib.util.spec_from_file_location(name or Path(path).stem, ROOT / path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look their module up
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def load_stage(load_script):
    """Import a script of workflow/stages by its name, as a worker process does."""
    return lambda name: load_script(f"workflow/stages/{name}.py", f"stage_{name}")
