"""From the raw folder to the manifest: the only code that reads lists, labels and masks of the raw data."""

import logging
from collections.abc import Sequence
from pathlib import Path

from auxseg.artifacts.atomic import atomic_dir, write_json
from auxseg.datasets.checks import Decoded, decode_all
from auxseg.datasets.collect import Collected, collect
from auxseg.datasets.contradictions import Contradictions, MaskedImage, find_contradictions
from auxseg.datasets.deep_images import Reading, depth_warnings
from auxseg.datasets.leakage import check_leakage
from auxseg.datasets.manifest import ImageRecord, write_manifest, write_mask_list
from auxseg.datasets.mask_form import PLAIN
from auxseg.datasets.mask_values import values_in_files
from auxseg.datasets.overview import overview
from auxseg.datasets.root import ensure_scenes
from auxseg.errors import DataError
from auxseg.params.data import DataParams
from auxseg.params.local import data_root

log = logging.getLogger(__name__)

LARGE_MEGAPIXELS = 3
"""`prepare` warns of larger images: the CRF takes several seconds and most of a gigabyte for each."""


def prepare(params: DataParams, shards: Sequence[str], manifest: Path, masks: Path, contradictions: Path) -> None:
    """Check the data set, and write the folders of its manifest and mask list, each completely or not at all.

        manifest/<shard>.csv, classes.csv     see auxseg.datasets.manifest
        manifest/dataset.json                 format, unlisted, scenes (parameters or null), masks (unless usual)
        masks/<shard>.csv                     see auxseg.datasets.manifest
        contradictions                        see auxseg.datasets.contradictions

    Raises:
        DataError, ParamsError: the first problem, in one line.
    """
    scenes = params.format == "scenes"
    root = ensure_scenes(params.scenes) if scenes else data_root(params.format)
    found = collect(root, params)
    reading = Reading.of(params)
    decoded = decode_all(root, found.images, found.classes, params.unlisted, found.form, reading)
    check_leakage(found.images, [one.sha256 for one in decoded], [one.picture for one in decoded], params.same_file)
    records = [
        ImageRecord(
            item.id,
            item.path,
            photo.width,
            photo.height,
            item.split,
            found.tags[item.id],
            photo.sha256,
            reading.bits,
            reading.bands,
            item.id not in found.unknown,
        )
        for item, photo in zip(found.images, decoded, strict=True)
    ]
    mask_list = {
        item.id: (item.mask, photo.mask_sha256) for item, photo in zip(found.images, decoded, strict=True) if item.mask
    }
    if mask_list and not any(photo.shown for photo in decoded):
        place = root / (params.masks or params.annotations or "")
        raise DataError(f"{place}: none of {len(mask_list)} masks shows a class: {_what_masks_show(found)}")
    wrong = _compare(found, decoded, params)
    if wrong.are_most:
        raise DataError(f"{root}: {wrong.message}. More than half contradict, so no figure would mean anything")
    with atomic_dir(manifest) as manifest_folder, atomic_dir(masks) as mask_folder:
        write_manifest(manifest_folder, records, found.classes, shards)
        write_json(
            manifest_folder / "dataset.json",
            {
                "format": params.format,
                "unlisted": params.unlisted,
                "scenes": params.scenes.model_dump() if scenes else None,
                **({"masks": form} if (form := found.form.stored()) else {}),
            },
        )
        write_mask_list(mask_folder, mask_list, shards)
    wrong.write(contradictions)
    view = overview(found)
    for line in view.lines():
        log.info("%s", line)
    _warn_of_size(max(records, key=lambda record: record.width * record.height))
    deep = depth_warnings([photo.depth for photo in decoded], reading)
    for warning in filter(None, [*view.warnings(), *deep, wrong.message]):
        log.warning("%s", warning)


def _what_masks_show(found: Collected) -> str:
    values, first = values_in_files(found.form, found.classes), found.classes.names[0]
    if values is None:
        return (
            "every shape or colour in them is background, ignored, or outside data.classes; correct data.classes, or "
            "the annotations"
        )
    if found.form != PLAIN:
        table = ", ".join(f"{value} is {name}" for value, name in found.form.table[:8])
        return f"{table}; correct data.classes, data.background or data.void"
    return (
        "0 is background, 255 is ignored, objects have the mask value of their class "
        f"({values[0]} is {first}); save the masks like this, or set data.classes to the values that they have"
    )


def _compare(found: Collected, decoded: Sequence[Decoded], params: DataParams) -> Contradictions:
    index = {name: position for position, name in enumerate(found.classes.names, 1)}
    images = [
        MaskedImage(
            item.id,
            item.split,
            item.mask,
            # a class that only a crowd shows is among the labels, and may be missing in the mask
            frozenset(index[name] for name in found.tags[item.id])
            - (frozenset(index[name] for name in found.crowds.get(item.id, ()) if name in index) - photo.shown),
            photo.shown,
            photo.colours,
        )
        for item, photo in zip(found.images, decoded, strict=True)
        if item.mask
    ]
    return find_contradictions(images, found.classes, params.tags, values_in_files(found.form, found.classes))


def _warn_of_size(largest: ImageRecord) -> None:
    megapixels = largest.width * largest.height / 1e6
    if megapixels > LARGE_MEGAPIXELS:
        log.warning(
            "%s has %.0f megapixels: labels and CRFs are computed at full size (12 megapixels: about 27 s and 2.7 GB "
            "per image and process); the settings were chosen for images with sides of 500 to 1000 pixels",
            largest.path,
            megapixels,
        )
