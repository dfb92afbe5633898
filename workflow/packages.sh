#!/bin/sh
# Install what requirements.lock pins, into .venv or a container image. Run it in the folder with the locks.
#
#   packages.sh PYTHON [LOCK]
#
# LOCK replaces requirements.lock.
set -eu
python=$1 lock=${2:-requirements.lock}

# set both names: newer versions of pip read the second when they build a package
export PIP_CONSTRAINT="$PWD/requirements.build.lock" PIP_BUILD_CONSTRAINT="$PWD/requirements.build.lock"
export PIP_DISABLE_PIP_VERSION_CHECK=1

# pydensecrf2 comes as source and asks for a Cython whose code does not compile on Python 3.13: build it with ours
"$python" -m pip install --requirement requirements.build.lock
"$python" -m pip install --no-build-isolation --no-deps "$(grep '^pydensecrf2==' "$lock")"
"$python" -m pip install --requirement "$lock"
