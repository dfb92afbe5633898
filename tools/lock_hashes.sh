#!/bin/sh
# Write the hashes of all files of each pinned release into locks: `make locks`.
#
#   lock_hashes.sh UV LOCK...
#
# The pins, their markers and the comment at the head of a lock stay; names are written as registries compare them. Only
# lists of files are downloaded. Nothing is resolved: a lock must name all that it needs.
set -eu
uv=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for lock in "$@"; do
  sed -n 's/ *\\$//; /^[^ #]/p' "$lock" >"$folder/pins.txt"
  grep '^#' "$lock" >"$folder/new"
  "$uv" pip compile --quiet --universal --python-version 3.11 --no-config --no-deps --generate-hashes --no-header \
    --no-annotate "$folder/pins.txt" >>"$folder/new"
  cp "$folder/new" "$lock"
done
