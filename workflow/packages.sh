#!/bin/sh
# Installs what requirements.lock pins, from the folder that holds the locks: for .venv and for the images.
#
#   packages.sh PYTHON [LOCK]
#
# LOCK is another file of pins than requirements.lock.
set -eu
python=$1 lock=${2:-requirements.lock}

# under both names: the second is what newer versions of pip read where they build
export PIP_CONSTRAINT="$PWD/requirements.build.lock" PIP_BUILD_CONSTRAINT="$PWD/requirements.build.lock"
export PIP_DISABLE_PIP_VERSION_CHECK=1

# pydensecrf2 comes as source and asks for a Cython whose code does not compile on Python 3.13: build it with ours
"$python" -m pip install --requirement requirements.build.lock
"$python" -m pip install --no-build-isolation --no-deps "$(grep '^pydensecrf2==' "$lock")"
"$python" -m pip install --requirement "$lock"
