#!/bin/sh
# Install what requirements.lock pins, into .venv or a container image. Run it in the folder with the locks.
#
#   packages.sh PYTHON [LOCK]
#
# LOCK replaces requirements.lock. Every file is compared with the hashes in its lock before anything of it runs.
set -eu
python=$1 lock=${2:-requirements.lock}
export PIP_DISABLE_PIP_VERSION_CHECK=1

# Some packages come as source. pip would build each with the newest tools that it asks for, whatever their hash, and
# pydensecrf2 asks for a Cython whose code does not compile on Python 3.13: build them with ours.
"$python" -m pip install --require-hashes --requirement requirements.build.lock
"$python" -m pip install --require-hashes --no-build-isolation --requirement "$lock"
