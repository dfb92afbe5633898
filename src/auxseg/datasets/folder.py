"""A plain folder of images with a CSV `image_id,labels[,split]`: the CSV says which images are used."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from auxseg.datasets.listing import MASKS, PHOTOS, Folder, Listed, locate, refuse, require_folder
from auxseg.datasets.tags import Tags
from auxseg.params.data import FolderParams

SPLITS = ("train", "val")


def list_folder(root: Path, params: FolderParams, tags: Mapping[str, Tags]) -> list[Listed]:
    """Return the images of the CSV's rows; without a column `split` a hash of the id chooses the `val` share.

    Raises:
        DataError: a missing folder or photo, or a split other than train and val.
    """
    require_folder(root / params.images, "set data.folder.images to the folder of photos, relative to the data root")
    if params.masks is not None:
        require_folder(root / params.masks, "set data.folder.masks to the folder of masks, or to null")
    refuse(
        f"{row.where}: split '{row.split}' of '{key}' is neither train nor val; write one of them"
        for key, row in tags.items()
        if row.split not in (None, *SPLITS)
    )
    rows = [
        (
            key,
            "val" if row.split is None and in_val(key, params.val_share) else row.split or "train",
            row.where,
        )
        for key, row in tags.items()
    ]
    masks = None if params.masks is None else Folder(root, params.masks, MASKS)
    return locate(rows, Folder(root, params.images, PHOTOS), masks)


def in_val(image_id: str, share: float) -> bool:
    """Tell whether an id is in the validation share; other images have no say in it."""
    # the prefix keeps this draw independent of the one that chooses the shard
    digest = hashlib.sha256(b"val:" + image_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64
