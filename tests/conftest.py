"""Settings of every test: one thread, so that tests that run beside each other do not fight for cores."""

import os

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by torch and OpenMP when they are imported

# the same examples on every machine and no time limit on one: a busy machine is no failure
settings.register_profile("suite", deadline=None, derandomize=True, max_examples=50, database=None)
settings.load_profile("suite")
