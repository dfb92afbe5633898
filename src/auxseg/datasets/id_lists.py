"""The published splits of VOC and COCO as number of ids and a hash over them, so that a wrong list is found.

Each hash was computed from the lists in the field's public repositories, which agree: jiwoon-ahn/psa, jiwoon-ahn/irn,
YudeWang/SEAM, xulianuwa/AuxSegNet, xulianuwa/MCTformer and linyq2117/CLIP-ES for VOC; linyq2117/CLIP-ES for the train
list of COCO and xulianuwa/MCTformer for its val list.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from auxseg.counts import counted
from auxseg.errors import DataError


@dataclass(frozen=True)
class IdList:
    """A published list: number of ids, and SHA-256 over the sorted ids, one per line."""

    count: int
    sha256: str


VOC_LISTS = {
    "train": IdList(1464, "aa623bd2c8ce4443a8aaae51c524c0eb165e8e44caf6aa9e3ad33d7b75a3ef20"),
    "val": IdList(1449, "cdc1326d12f69ce5153aa5da04a4d8783e146868d42d19f82f44e74b97ac907d"),
    "train_aug": IdList(10582, "d1326bd532648d73bc4b1bd275434eba81930982dc7401a65a8cecb26c028e24"),
    "test": IdList(1456, "5e8fe0c14b2e6633fb2e3a0f5db65fb6b8f5217b574478bb21127a48fd33010f"),
}
COCO_LISTS = {
    "train": IdList(82081, "2985c4b482da49946f2e5dfb9a12f44bee154529cd601f63b1105942d763a8f9"),
    "val": IdList(40504, "9386e9835dc8d4834214decb7113673ce9d4a42a16f4bcdf581df86b5b69d6ef"),
}
"""COCO 2014: train without the 702 images that have no annotation, val with all images."""


def list_sha256(ids: Collection[str]) -> str:
    """Return the hash of a list as in `IdList`; order and repetition do not matter."""
    return hashlib.sha256("".join(f"{key}\n" for key in sorted(set(ids))).encode()).hexdigest()


def check_list(
    source: str, name: str, ids: Collection[str], published: Mapping[str, IdList], fix: str = "download the files again"
) -> None:
    """Compare a list with the published one; `fix` is the advice of the error message.

    Raises:
        DataError: `source` has more or fewer ids, or other ids.
    """
    wanted = published[name]
    if len(ids) != wanted.count:
        raise DataError(f"{source}: {counted(len(ids), 'id')}, but the published {name} has {wanted.count}; {fix}")
    if list_sha256(ids) != wanted.sha256:
        raise DataError(f"{source}: {counted(len(ids), 'id')}, but not those of the published {name}; {fix}")
