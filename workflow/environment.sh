#!/bin/sh
# Make or update the virtual environment; `make env` runs this.
#
#   environment.sh VENV STAMP TORCH PYTHON...
#
# STAMP is touched when all packages are there. If it does not exist, VENV is created again with the first PYTHON that
# fits. If none fits and uv is installed, uv downloads one. TORCH is empty, or `cpu` for PyTorch's own builds without
# CUDA.
set -eu
venv=$1 stamp=$2 torch=$3
shift 3
unset PYTHONPATH PYTHONHOME

TORCH_INDEX=https://download.pytorch.org/whl/cpu
FITS='import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'

stop() {
  echo "error: $*" >&2
  exit 2
}

find_python() {
  for python in "$@"; do
    if "$python" -c "$FITS" 2>/dev/null; then
      echo "$python"
      return
    fi
  done
  uv python install --quiet 3.13 2>/dev/null && uv python find --no-project --managed-python 3.13
}

case $torch in
  '') size="3.5 GB to download, 7.0 GB on disk; without CUDA, make env TORCH=cpu: 0.7 GB, 1.8 GB on disk" ;;
  cpu) size="0.7 GB to download, 1.8 GB on disk" ;;
  *) stop "TORCH=$torch: expected cpu, or nothing for the builds with CUDA" ;;
esac

if ! [ -e "$stamp" ]; then
  [ ! -L "$venv" ] || stop "$venv is a link to another environment, which stays as it is; remove the link"
  python=$(find_python "$@") ||
    stop "none of $* is Python 3.11 to 3.13 with the module venv (Debian: python3-venv), and no uv brings one"
  # pydensecrf2 comes as source
  headers=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
  { command -v c++ >/dev/null && [ -e "$headers/Python.h" ]; } ||
    stop "pydensecrf2 needs a C++ compiler and Python's headers (Debian: g++ python3-dev)"
  "$python" -m venv --clear "$venv"
fi

echo "installing the packages of requirements.lock into $venv: about $size"
lock=requirements.lock
if [ "$torch" = cpu ]; then
  # saves 0.3 GB; Python compiles each module when it is first imported
  export PIP_NO_COMPILE=1
  # CUDA's packages are pinned only for the other builds, which are those whose hashes the lock has
  lock=$venv/requirements.cpu.lock
  awk '/^[^ #]/ { drop = /^(cuda-|nvidia-|triton==)/ } !drop' requirements.lock >"$lock"
  "$venv/bin/python" -m pip install --no-deps --index-url "$TORCH_INDEX" \
    $(grep -Eo '^torch(vision)?==[^ ]+' requirements.lock)
fi
sh workflow/packages.sh "$venv/bin/python" "$lock"
"$venv/bin/python" -m pip install --disable-pip-version-check --no-build-isolation --no-deps --editable .
touch "$stamp"
# last: the environment is good without them, and `auxseg weights fetch` does this alone
"$venv/bin/python" -m auxseg.published
