"""`auxseg predict`: a round's network on photographs outside the data set, such as VOC's test images."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from auxseg.cli.arguments import a_path

CLASSES = Path("data/manifest/classes.csv")


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("predict", help="segment a folder of photographs with a round's network")
    parser.add_argument("--round", required=True, metavar="rN", help="round of the network")
    parser.add_argument("--images", required=True, metavar="FOLDER", type=a_path, help="photographs")
    parser.add_argument("--list", metavar="FILE", type=a_path, help="ids to take, one a line (default: all)")
    parser.add_argument("--to", required=True, metavar="FOLDER", type=a_path, help="gets <id>.png of mask values")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Predict, at the scales and with the CRF of params.yaml, and write one index PNG a photograph.

    All photographs are read once before the first is predicted: nothing is written when one is damaged.
    """
    import numpy as np

    from auxseg.artifacts.atomic import write_bytes
    from auxseg.datasets.manifest import read_classes
    from auxseg.errors import DataError, ParamsError
    from auxseg.images import encode_label, read_rgb
    from auxseg.parallel import track
    from auxseg.params.backbone import BackboneParams
    from auxseg.params.dag import read_params
    from auxseg.params.evaluate import EvaluateParams
    from auxseg.params.network import NetworkParams
    from auxseg.params.runtime import RuntimeParams

    values = read_params()
    if arguments.round not in values["rounds"]:
        raise ParamsError(f"--round {arguments.round}: no such training; choose of {', '.join(values['rounds'])}")
    weights = Path(f"data/models/{arguments.round}.safetensors")
    if not weights.is_file():
        raise DataError(f"{weights}: no such file; run `dvc repro`, or `dvc pull`")
    photos = _photos(arguments.images, arguments.list)
    _refuse_overwriting(arguments.to, photos)
    sections = (RuntimeParams, BackboneParams, NetworkParams, EvaluateParams)
    runtime, backbone, network_params, params = (section.parse(values.get(section.key)) for section in sections)
    classes = read_classes(CLASSES)
    for path in track(photos, "check"):
        read_rgb(path)  # a photograph that cannot be read is found now, not after hours of predictions

    from auxseg.models.auxsegnet import load_auxsegnet  # here: torch takes seconds, and refusals need none
    from auxseg.models.device import prepare_device
    from auxseg.prediction import predict_photos

    device = prepare_device(runtime)
    network = load_auxsegnet(weights, backbone, network_params, len(classes)).to(device).eval()
    mask_values = np.array([0, *classes.values], np.uint8)
    predictions = predict_photos(network, map(read_rgb, track(photos, "predict")), params, runtime, device)
    for path, prediction in zip(photos, predictions, strict=True):
        write_bytes(arguments.to / f"{path.stem}.png", encode_label(mask_values[prediction.final]))
    print(f"{len(photos)} predictions of {arguments.round} in {arguments.to}")


def _refuse_overwriting(to: Path, photos: Iterable[Path]) -> None:
    """Refuse to write a prediction over a photograph.

    Raises:
        DataError: names the first that would be lost.
    """
    from auxseg.errors import DataError

    for path in photos:
        if (to / f"{path.stem}.png").resolve() == path.resolve():
            raise DataError(f"--to {to}: the prediction would overwrite {path}; give another folder")


def _photos(folder: Path, list_file: Path | None) -> list[Path]:
    """Return the photographs of a folder, sorted, or those that a list names.

    Raises:
        DataError: no photograph, or one that is listed and not there.
    """
    from auxseg.datasets.listing import PHOTOS, Folder, refuse, require_folder
    from auxseg.datasets.tags import listed_id
    from auxseg.errors import DataError

    require_folder(folder, "give the folder of photographs")
    found = Folder(folder, ".", PHOTOS)
    if list_file is None:
        ids = list(found)
    else:
        try:
            ids = [listed_id(line) for line in list_file.read_text("utf-8-sig").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{list_file}: not readable ({error}); give a list of ids, one a line") from None
        if not ids:
            raise DataError(f"{list_file}: names no id; give a list of ids, one a line")
    paths = {key: found.find(key) for key in ids}
    refuse(f"{folder}: no photograph '{key}'; mend the list" for key, path in paths.items() if path is None)
    if not paths:
        raise DataError(f"{folder}: no photograph ({', '.join(PHOTOS)}); give the folder that holds them")
    return [folder / path for path in paths.values()]
