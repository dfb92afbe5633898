"""From the raw folder to the manifest: the only code that reads lists, labels and masks of the raw data."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from auxseg.artifacts.atomic import atomic_dir, write_json
from auxseg.counts import counted
from auxseg.datasets.checks import Decoded, decode_all
from auxseg.datasets.collect import Collected, collect
from auxseg.datasets.contradictions import Contradictions, MaskedImage, find_contradictions
from auxseg.datasets.deep_images import Reading, depth_warnings
from auxseg.datasets.label_png import SMOOTHED_FIX
from auxseg.datasets.leakage import check_leakage, check_twins
from auxseg.datasets.listing import Listed
from auxseg.datasets.manifest import ImageRecord, write_manifest, write_mask_list
from auxseg.datasets.mask_form import PLAIN
from auxseg.datasets.mask_values import others_in_files, values_in_files
from auxseg.datasets.overview import NAMED, overview
from auxseg.datasets.problems import STRICT, WHOLE, Problems
from auxseg.datasets.root import ensure_scenes
from auxseg.encoded import IGNORE
from auxseg.errors import shorten
from auxseg.findings import SHOWN, Findings
from auxseg.params.data import DataParams
from auxseg.params.local import data_root

log = logging.getLogger(__name__)

LARGE_MEGAPIXELS = 3
"""`prepare` warns of larger images: labels and predictions are computed at their size, and objects are larger than the
settings expect."""
VALUES = 10
"""Number of mask values that a message lists."""
CONTRADICTIONS = "images whose mask contradicts their image-level labels"


@dataclass(frozen=True)
class Examined:
    """A data set with what its images and masks show."""

    found: Collected
    pairs: list[tuple[Listed, Decoded]]
    """The images, and what decoding them found."""
    reading: Reading
    contradictions: Contradictions

    def warnings(self, named: int = NAMED) -> Iterator[str]:
        """Yield what the user should know before hours of computing; a list names up to `named` images."""
        yield from overview(self.found).warnings(named)
        yield from depth_warnings([seen.depth for _, seen in self.pairs], self.reading)
        if self.contradictions.message:
            yield self.contradictions.message
        if smoothed := [item.mask or "" for item, seen in self.pairs if seen.is_smoothed]:
            have = counted(len(smoothed), "mask has", "masks have")
            yield (
                f"{have} many values that data.classes does not list, with few pixels each "
                f"({shorten(smoothed, named)}): they are read as data.unlisted says, but {SMOOTHED_FIX}"
            )


def examine(params: DataParams, problems: Problems = STRICT) -> Examined:
    """Read lists, labels, images and masks, and check them against each other.

    Raises:
        DataError: the first problem, in one line; if `problems` collects them, only what prevents all further checks.
        ParamsError: parameters contradict each other, or there is no data root.
    """
    root = ensure_scenes(params.scenes) if params.format == "scenes" else data_root(params.format)
    found = collect(root, params, problems)
    reading = Reading.of(params)
    pairs = decode_all(root, found.images, found.classes, params.unlisted, found.form, reading, problems)
    images, decoded = [item for item, _ in pairs], [seen for _, seen in pairs]
    hashes = [seen.sha256 for seen in decoded], [seen.picture for seen in decoded]
    check_leakage(images, *hashes, params.same_file, problems)
    if params.tags == "complete":  # labels that name only some of the classes may differ
        known = {key: tags for key, tags in found.tags.items() if key not in found.unknown}
        check_twins(images, hashes[0], known, problems)
    wrong = _compare(found, pairs, params)
    masks = sum(item.mask is not None for item in images)
    if masks and not any(seen.shown for seen in decoded):
        place = root / (params.masks or params.annotations or "")
        line = f"{place}: none of {counted(masks, 'mask')} shows a class"
        stored = sorted(frozenset().union(*(seen.values for seen in decoded)))
        reason = f". {wrong.cause}" if wrong.cause else f": {_what_masks_show(found, stored)}"
        problems.reject(WHOLE, [line + reason])
    if wrong.are_most:
        message = f"{root}: {wrong.message}. More than half contradict, so no figure would mean anything"
        problems.sum_up(CONTRADICTIONS, wrong.lines(), message)
    return Examined(found, pairs, reading, wrong)


def report(params: DataParams) -> Findings:
    """Return every problem of a data set, and what `prepare` would warn of.

    Raises:
        ParamsError: parameters contradict each other, or there is no data root.
    """
    findings = Findings()
    problems = Problems(findings)
    with problems.of(WHOLE):
        examined = examine(params, problems)
        if not examined.contradictions.are_most:
            findings.add(CONTRADICTIONS, examined.contradictions.lines(), "warning")
        findings.add("notes on the data set", examined.warnings(SHOWN), "warning")
    return findings


def prepare(params: DataParams, shards: Sequence[str], manifest: Path, masks: Path, contradictions: Path) -> None:
    """Check the data set, and write the folders of its manifest and mask list, each completely or not at all.

        manifest/<split>/<shard>.csv          see auxseg.datasets.manifest
        manifest/classes.csv                  see auxseg.datasets.manifest
        manifest/dataset.json                 format, unlisted, scenes (parameters or null)
        masks/<shard>.csv, form.json          see auxseg.datasets.manifest
        contradictions                        see auxseg.datasets.contradictions

    Raises:
        DataError, ParamsError: the first problem, in one line.
    """
    examined = examine(params)
    found, pairs, reading = examined.found, examined.pairs, examined.reading
    records = [
        ImageRecord(
            item.id,
            item.path,
            seen.width,
            seen.height,
            item.split,
            found.tags[item.id],
            seen.sha256,
            reading.bits,
            reading.bands,
            item.id not in found.unknown,
        )
        for item, seen in pairs
    ]
    mask_list = {item.id: (item.mask, seen.mask_sha256) for item, seen in pairs if item.mask}
    with atomic_dir(manifest) as manifest_folder, atomic_dir(masks) as mask_folder:
        write_manifest(manifest_folder, records, found.classes, shards)
        write_json(
            manifest_folder / "dataset.json",
            {
                "format": params.format,
                "unlisted": params.unlisted,
                "scenes": params.scenes.model_dump() if params.format == "scenes" else None,
            },
        )
        write_mask_list(mask_folder, mask_list, shards, found.form)
    examined.contradictions.write(contradictions)
    for line in overview(found).lines():
        log.info("%s", line)
    _warn_of_size(max(records, key=lambda record: record.width * record.height))
    for warning in examined.warnings():
        log.warning("%s", warning)


def _what_masks_show(found: Collected, stored: Sequence[int]) -> str:
    """Return why no mask shows a class, and what to do; `stored`: the values in all masks."""
    values, first = values_in_files(found.form, found.classes), found.classes.names[0]
    if values is None:
        return (
            "every shape or colour in them is background, ignored, or outside data.classes; correct data.classes, or "
            "the annotations"
        )
    if found.form == PLAIN and stored == [0, IGNORE]:
        only = "they have only the values 0 and 255, and 255 is always ignored; save"
        if len(found.classes) > 1:
            return f"{only} the values of the classes, as data.classes has them, in its place ({values[0]} is {first})"
        return (
            f"{only} {values[0]} ({first}) in its place, or list `{first},#ffffff` in a CSV with the columns "
            "name,colour and set data.colours to it"
        )
    have = f"they have the {'value' if len(stored) == 1 else 'values'} {shorten(map(str, stored), VALUES)}, where "
    if found.form != PLAIN:
        table = ", ".join(f"{value} is {name}" for value, name in found.form.table[:8])
        return f"{have}{table}; correct data.classes, data.background or data.void"
    return (
        f"{have}0 is background, 255 is ignored, objects have the mask value of their class "
        f"({values[0]} is {first}); save the masks like this, or set data.classes to the values that they have"
    )


def _compare(found: Collected, pairs: Iterable[tuple[Listed, Decoded]], params: DataParams) -> Contradictions:
    index = {name: position for position, name in enumerate(found.classes.names, 1)}
    others = others_in_files(found.form, found.classes) if found.form.kind == "values" else frozenset()
    images = [
        MaskedImage(
            item.id,
            item.split,
            item.mask,
            # a class that only a crowd shows is among the labels, and may be missing in the mask
            frozenset(index[name] for name in found.tags[item.id])
            - (frozenset(index[name] for name in found.crowds.get(item.id, ()) if name in index) - seen.shown),
            seen.shown,
            frozenset() if seen.is_smoothed else seen.values - others,
            seen.colours,
        )
        for item, seen in pairs
        if item.mask
    ]
    return find_contradictions(images, found.classes, params.tags, values_in_files(found.form, found.classes))


def _warn_of_size(largest: ImageRecord) -> None:
    megapixels = largest.width * largest.height / 1e6
    if megapixels > LARGE_MEGAPIXELS:
        log.warning(
            "%s has %.0f megapixels: labels have the image's size, and the CRF runs on a grid of labels.crf_side or "
            "evaluate.crf_side pixels (12 megapixels: about 6 s and 0.6 GB per image and process on a grid of 1024, "
            "40 s and 4.5 GB with null); the settings were chosen for images with sides of 500 to 1000 pixels",
            largest.path,
            megapixels,
        )
