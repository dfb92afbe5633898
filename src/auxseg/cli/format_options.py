"""The options of `auxseg export labels` that choose a format, and what they mean for its writer."""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from auxseg.errors import ParamsError
from auxseg.formats.export import FORMATS
from auxseg.formats.writer import Options, require_image

PNG = "png"
"""The format that `auxseg export labels` has without `--format`."""

_ONLY = {
    "shapes": ("coco", "label-studio"),
    "tolerance": ("coco", "label-studio", "labelme"),
    "image_url": ("label-studio",),
    "with_images": tuple(FORMATS),
}
"""Options that only some formats have."""


def add_format_options(parser: argparse.ArgumentParser) -> None:
    """Add the format and what only some formats have; an option that was not given is None."""
    parser.add_argument("--format", choices=(PNG, *FORMATS), default=PNG, help="of the masks; default: png, <id>.png")
    parser.add_argument(
        "--with-images", action="store_const", const=True, help="copy the images too, where the format expects them"
    )
    parser.add_argument(
        "--shapes",
        choices=("rle", "polygons"),
        help="coco, label-studio: exact run lengths (the default) or polygons for regions without a hole",
    )
    parser.add_argument(
        "--tolerance",
        type=tolerance,
        metavar="PIXELS",
        help="largest error of a polygon; 0: exact, with many points; default: 1",
    )
    parser.add_argument(
        "--image-url",
        metavar="PREFIX",
        help="label-studio: before the path of an image; default: /data/local-files/?d=",
    )


def tolerance(text: str) -> float:
    """Return the tolerance of polygons, pixels from 0 to 100, as a type for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"expected pixels from 0 to 100, got '{text}'")
    return value


def format_options(
    arguments: argparse.Namespace, names: Sequence[str], values: np.ndarray, source: str, root: Path | None
) -> Options:
    """Return the options for a writer; see `Options` for the arguments after the first."""
    given = {name: getattr(arguments, name) for name in _ONLY if getattr(arguments, name) is not None}
    return Options(names, values, source, root, **given)


def check_format(arguments: argparse.Namespace) -> None:
    """Check that every given option belongs to the format.

    Raises:
        ParamsError: one does not; it would be ignored.
    """
    for name, formats in _ONLY.items():
        if getattr(arguments, name) is not None and arguments.format not in formats:
            option = f"--{name.replace('_', '-')}"
            raise ParamsError(
                f"{option}: --format {arguments.format} has no such choice; it is for {', '.join(formats)}"
            )
    if arguments.tolerance is not None and arguments.format != "labelme" and arguments.shapes != "polygons":
        raise ParamsError("--tolerance: run lengths are exact; add --shapes polygons or leave the tolerance out")
    if arguments.indices and arguments.format == "mmseg":
        raise ParamsError("--indices: --format mmseg always has class indices; leave the option out")


def needs_images(arguments: argparse.Namespace) -> bool:
    """Tell whether the export reads the images or refers to them by their path."""
    return bool(arguments.with_images) or (arguments.format != PNG and FORMATS[arguments.format].reads_images)


def check_images(root: Path, paths: Sequence[str]) -> None:
    """Check that the images exist, before anything is written.

    Raises:
        DataError: names the first that does not.
    """
    for path in paths:
        require_image(root / path)
