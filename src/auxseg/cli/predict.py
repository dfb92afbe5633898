"""`auxseg predict`: segment images outside the data set, such as new ones or VOC's test images.

<id>.png             the mask: the class of every pixel, as the data set's mask values
overlays/<id>.jpg    the image with the mask drawn over it
confidence/<id>.png  8-bit grey, 255 = 1: the network's probability of the class of every pixel, before the CRF
classes.csv          value, name and colour of every class
predictions.json     by image id: size, mean confidence, and the share of every class that occurs, in per cent
predictions.csv      image_id, class, share: one row for every class that occurs in an image, share in per cent
"""

import argparse
import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from auxseg.artifacts.atomic import NAME_BYTES, write_bytes, write_json
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import write_rows
from auxseg.cli.arguments import a_path
from auxseg.cli.chosen_round import add_round, choose_network
from auxseg.cli.mask_files import check_leftovers, check_target, mask_values, shares, write_class_table, write_overlay
from auxseg.cli.next_step import print_next, require_result
from auxseg.counts import counted
from auxseg.datasets.deep_images import Depth, Reading, depth_of, depth_warnings, read_image
from auxseg.datasets.listing import Folder, is_inside, require_folder
from auxseg.datasets.manifest import read_classes
from auxseg.datasets.matching import unread_images
from auxseg.datasets.problems import raise_first
from auxseg.datasets.tags import listed_id
from auxseg.encoded import encode_grey, encode_label
from auxseg.errors import CONTROLS, DataError
from auxseg.files import read_text, real_path
from auxseg.images import PHOTO_SUFFIXES
from auxseg.parallel import track
from auxseg.params.backbone import BackboneParams
from auxseg.params.dag import read_params
from auxseg.params.data import DataParams
from auxseg.params.evaluate import EvaluateParams
from auxseg.params.network import NetworkParams
from auxseg.params.runtime import RuntimeParams

OVERLAYS, CONFIDENCE = "overlays", "confidence"
TABLES = "predictions.csv", "predictions.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add round, images and target folder."""
    add_round(parser, "round of the network")
    parser.add_argument("--images", required=True, metavar="FOLDER", type=a_path, help="the images")
    parser.add_argument("--list", metavar="FILE", type=a_path, help="ids to segment, one per line; default: all")
    parser.add_argument("--to", required=True, metavar="FOLDER", type=a_path, help="for masks, maps and tables")


def run(arguments: argparse.Namespace) -> None:
    """Predict, at the scales and with the CRF of params.yaml, and write masks, overlays, confidence maps and tables.

    All images are read once before the first is predicted: nothing is written if one is damaged.
    """
    values, to, store = read_params(), arguments.to, Store()
    require_result(store.classes)
    round_ = choose_network(arguments.round)
    weights = store.weights(round_)
    require_result(weights)
    photos = _photos(arguments.images, arguments.list, to)
    _reject_overwriting(to, photos)
    check_target(to)
    check_leftovers(to, (f"{folder}{path.stem}.png" for path in photos for folder in ("", f"{CONFIDENCE}/")), ".png")
    check_leftovers(to / OVERLAYS, (f"{path.stem}.jpg" for path in photos), ".jpg")
    _check_names(photos)
    runtime, backbone = RuntimeParams.of(values), BackboneParams.of(values)
    network_params, params = NetworkParams.of(values), EvaluateParams.of(values)
    classes = read_classes(store.classes)
    reading = Reading.of(DataParams.of(values))
    read = partial(read_image, reading=reading)
    for note in depth_warnings(_check_readable(photos, read), reading):
        print(f"note: {note}")

    # imported here because torch takes seconds, which an error should not wait for
    from auxseg.models.auxsegnet import load_auxsegnet
    from auxseg.models.device import prepare_device
    from auxseg.models.precision import noted_precision
    from auxseg.prediction import segment_photos

    runtime = noted_precision(runtime, weights)
    device = prepare_device(runtime)
    network = load_auxsegnet(weights, backbone, network_params, len(classes), device)
    stored, rows = mask_values(classes), []
    summaries: dict[str, object] = {}
    for table in TABLES:  # written last: a folder without them is not finished
        (to / table).unlink(missing_ok=True)
    predictions = segment_photos(network, map(read, photos), params, runtime, device)
    # the bar counts written images; reading runs a few images ahead
    for path, (prediction, confidence) in track(zip(photos, predictions, strict=True), "predict", total=len(photos)):
        mask = stored[prediction]
        write_bytes(to / f"{path.stem}.png", encode_label(mask))
        write_bytes(to / CONFIDENCE / f"{path.stem}.png", encode_grey(confidence))
        write_overlay(to / OVERLAYS / f"{path.stem}.jpg", read(path), mask)
        found = {classes.with_background[index]: share for index, share in shares(prediction).items()}
        rows += [{"image_id": path.stem, "class": name, "share": share} for name, share in found.items()]
        summaries[path.stem] = {
            "height": mask.shape[0],
            "width": mask.shape[1],
            "confidence": round(float(confidence.mean()), 4),
            "shares": {name: round(share, 4) for name, share in found.items()},
        }
    write_rows(to / TABLES[0], rows, ("image_id", "class", "share"))
    write_json(to / TABLES[1], summaries)
    write_class_table(to, classes.with_background, stored)
    written = counted(len(photos), "prediction")
    print(
        f"{written} of {round_} in {to}: <id>.png, {OVERLAYS}/<id>.jpg, {CONFIDENCE}/<id>.png, "
        "predictions.csv and .json, classes.csv"
    )
    print_next(f"look through {to / OVERLAYS}; predictions.csv lists the share of every class in every image")


def _reject_overwriting(to: Path, photos: Sequence[Path]) -> None:
    """Check that no mask or overlay would overwrite one of the images, or be read as an image the next time.

    Raises:
        DataError: names the first image that would be lost, or the folder.
    """
    for path in photos:
        written = (to / f"{path.stem}.png", to / CONFIDENCE / f"{path.stem}.png", to / OVERLAYS / f"{path.stem}.jpg")
        if real_path(path) in map(real_path, written):
            raise DataError(f"--to {to}: the prediction would overwrite {path}; give another folder")
    if any(real_path(path.parent) == real_path(to) for path in photos):
        raise DataError(f"--to {to}: the folder of the images; predictions there would be read as images next time")


def _check_names(photos: Sequence[Path]) -> None:
    """Check every name that will be written, so that no name stops the program after hours of predictions.

    Raises:
        DataError: names the first image whose name is too long, or has characters that no table may have.
    """
    for path in photos:
        if CONTROLS.search(path.stem):
            raise DataError(f"{path}: the name has control characters or line breaks, or is not UTF-8; rename the file")
        if any(len(f"{path.stem}{suffix}".encode()) > NAME_BYTES for suffix in (".png", ".jpg")):
            raise DataError(f"{path}: the name is too long for '<id>.png'; rename the file to at most 250 bytes")


def _check_readable(photos: Sequence[Path], read: Callable[[Path], object]) -> list[Depth]:
    """Read every image, so that unreadable ones are reported now, not after hours of predictions.

    Returns:
        What each holds beyond 8-bit RGB.

    Raises:
        DataError: names them.
    """
    problems, depths = {}, []
    for path in track(photos, "check"):
        try:
            read(path)
            depths.append(depth_of(path))
        except DataError as error:
            problems[path.name] = str(error)
    raise_first(problems.values(), list(problems))
    return depths


def _in_sub_folders(folder: Path, found: Folder, to: Path) -> Iterator[str]:
    inner: list[PurePosixPath] = []
    with contextlib.suppress(DataError):  # a sub-folder that may not be read
        inner += (path for path in found.inner_files if path.suffix.lower() in found.suffixes)
    written = real_path(to)
    if inner := [path for path in inner if not real_path(folder / path).is_relative_to(written)]:
        have = counted(len(inner), "image is", "images are")
        yield (
            f"{folder}: {have} in sub-folders and left out, the first is '{inner[0]}'; give each sub-folder to --images"
        )


def _photos(folder: Path, list_file: Path | None, to: Path) -> list[Path]:
    """Return the images of a folder, sorted, or those that a list names; print what is left out, besides that in `to`.

    Raises:
        DataError: there is no image, or one that is listed is missing.
    """
    require_folder(folder, "give the folder of images")
    found = Folder(folder, ".", PHOTO_SUFFIXES)
    if list_file is None:
        ids = list(found)
        for note in (*unread_images(str(folder), found.unread), *_in_sub_folders(folder, found, to)):
            print(f"note: {note}")
    else:
        try:
            lines = [line.strip() for line in read_text(list_file).splitlines() if line.strip()]
        except FileNotFoundError:
            raise DataError(f"{list_file}: no such file; give a list of ids, one per line") from None
        if not lines:
            raise DataError(f"{list_file}: names no id; give a list of ids, one per line")
        inner = (line for line in lines if "/" in line and is_inside(line))
        raise_first(
            f"{list_file}: '{line}' is in a sub-folder; give {(folder / line).parent} to --images"
            for line in inner
            if found.has(line) or (folder / line).is_file()
        )
        ids = list(map(listed_id, lines))
    paths = {key: found.find(key) for key in ids}
    raise_first(f"{folder}: no image '{key}'; correct the list" for key, path in paths.items() if path is None)
    if not paths:
        raise DataError(f"{folder}: no image ({', '.join(PHOTO_SUFFIXES)}); give the folder that contains them")
    return [folder / path for path in paths.values() if path is not None]
