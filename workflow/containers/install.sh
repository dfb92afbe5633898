#!/bin/sh
# What both images hold beside Python: git (DVC asks it) and every package of requirements.lock. Run as root in the
# image that is being built, with the folder of the lock as its argument.
set -eu
apt-get update
# the compiler is for pydensecrf2, which comes as source, and goes again
apt-get install --yes --no-install-recommends git g++
(cd "$1" && PIP_NO_CACHE_DIR=1 sh packages.sh python)
apt-get purge --yes --auto-remove g++
rm -rf /var/lib/apt/lists/*

# The code is the clone's: what runs must be what DVC has hashed. Images start in the clone's folder.
printf '#!/bin/sh\nexec python -m auxseg.cli.main "$@"\n' >/usr/local/bin/auxseg
chmod +x /usr/local/bin/auxseg
