#!/usr/bin/env bash
# Installs a browser that tests/audit drive, on Debian as root: chromium, or the one that is named
# (firefox-esr, for `make test-nightly`). CI calls it before `make test`.
set -euo pipefail
browser=${1:-chromium}
command -v "$browser" > /dev/null && exit
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
  echo "no $browser on the path; install it (Debian: apt-get install $browser)" >&2
  exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "$browser"
