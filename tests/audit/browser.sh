#!/usr/bin/env bash
# Installs the browser that the tests/audit drive, on Debian and Ubuntu as root. CI calls it before `make test`.
set -euo pipefail
command -v chromium > /dev/null && exit
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
  echo "no chromium on the path; install it (Debian: apt-get install chromium)" >&2
  exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends chromium
