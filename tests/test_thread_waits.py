"""Importing the package keeps torch's threads from spinning for long, unless somebody said how they wait."""

import os
import subprocess
import sys

import pytest

SHOW = "import auxseg, os; print(os.environ.get('GOMP_SPINCOUNT'))"


@pytest.mark.parametrize(
    ("given", "found"),
    [({}, "10000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "None")],
)
def test_what_the_environment_says_wins(given, found):
    names = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    environment = {name: value for name, value in os.environ.items() if name not in names} | given
    done = subprocess.run([sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == found


def test_a_stage_imports_torch_after_it():
    """Otherwise it would be read too late."""
    code = "import sys, auxseg.pipeline.stage, auxseg; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
