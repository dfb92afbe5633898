#!/bin/sh
# Install what both images have beside Python: git, which DVC calls, and every package of requirements.lock. Run it as
# root in the image that is being built, with the folder of the lock as its argument.
set -eu
apt-get update
# the compiler is for pydensecrf2, which comes as source, and is removed afterwards
apt-get install --yes --no-install-recommends git g++
(cd "$1" && PIP_NO_CACHE_DIR=1 sh packages.sh python)
apt-get purge --yes --auto-remove g++
rm -rf /var/lib/apt/lists/*

# The code is in the clone, because DVC has to hash what runs. Images start in the clone's folder.
printf '#!/bin/sh\nexec python -m auxseg.cli.main "$@"\n' >/usr/local/bin/auxseg
chmod +x /usr/local/bin/auxseg
