"""`auxseg export`: CAMs and labels for other methods' code, and the folder that VOC's test server takes."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from auxseg.cli.arguments import a_path

if TYPE_CHECKING:
    from auxseg.datasets.manifest import ClassTable

MANIFEST, MAPS, LABELS = Path("data/manifest"), Path("data/maps"), Path("data/labels")
FORMATS = ("psa", "irn", "clip-es", "png")
"""As auxseg.seeds.cams.FORMATS; here so that `--help` loads no library."""

SUBMISSION = Path("results/VOC2012/Segmentation/comp6_test_cls")
"""comp6: trained on more than VOC's own images, as ImageNet's weights and SBD are."""


def add(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("export", help="CAMs and labels in the field's formats; VOC's test submission")
    actions = parser.add_subparsers(dest="action", required=True, metavar="WHAT")
    cams = actions.add_parser("cams", help="a round's CAMs of the training images, in another method's format")
    cams.add_argument(
        "--format",
        required=True,
        choices=FORMATS,
        help="psa: also SEAM's and MCTformer's. png: <class name>/<id>.png, 8-bit",
    )
    labels = actions.add_parser("labels", help="a round's pseudo labels as <id>.png of mask values")
    labels.add_argument("--indices", action="store_true", help="class indices 0..C, not the data set's mask values")
    for action, function in ((cams, run_cams), (labels, run_labels)):
        action.add_argument("--round", required=True, metavar="rN", help="r0: the initial ones")
        action.add_argument("--to", required=True, metavar="FOLDER", type=a_path, help="made when missing")
        action.set_defaults(run=function)
    submission = actions.add_parser("voc-submission", help="predictions of VOC 2012 test as its server takes them")
    submission.add_argument("--predictions", required=True, metavar="FOLDER", type=a_path, help="of `auxseg predict`")
    submission.add_argument("--to", required=True, metavar="FOLDER", type=a_path, help=f"gets {SUBMISSION}")
    submission.set_defaults(run=run_submission)


def run_cams(arguments: argparse.Namespace) -> None:
    """Write one file an image (png: one a class and image); nothing is written when a shard is missing."""
    from auxseg.artifacts.tensors import TensorFile
    from auxseg.datasets.manifest import read_classes, read_shard
    from auxseg.parallel import track
    from auxseg.seeds.cams import write_cams

    classes = read_classes(MANIFEST / "classes.csv")
    files = {shard: TensorFile(path) for shard, path in _shards(MAPS, arguments.round, ".safetensors").items()}
    count = 0
    for shard, maps in files.items():
        for record in track(read_shard(MANIFEST / f"{shard}.csv", "train"), f"export {shard}"):
            cams = dict(zip(record.labels, maps[f"{record.id}.cam"], strict=True))
            write_cams(arguments.to, record, cams, classes, arguments.format)
            count += 1
    print(f"CAMs of {count} images of {arguments.round} in {arguments.to}, format {arguments.format}")


def run_labels(arguments: argparse.Namespace) -> None:
    """Write one PNG an image; nothing is written when a shard is missing."""
    from auxseg.artifacts.archive import Archive
    from auxseg.artifacts.atomic import write_bytes
    from auxseg.datasets.manifest import read_classes
    from auxseg.errors import DataError

    _refuse_data_set(arguments.to)
    classes = None if arguments.indices else read_classes(MANIFEST / "classes.csv")
    archives = [Archive(path) for path in _shards(LABELS, arguments.round, ".zip").values()]
    for archive in archives:
        for name in archive:
            # nothing may land outside the folder that was asked for
            if "/" in name or "\\" in name or not name.endswith(".png"):
                raise DataError(f"{archive.path}: member '{name}' is no label; run the stage that writes it again")
    for archive in archives:
        for name, content in archive.items():
            write_bytes(arguments.to / name, content if classes is None else _with_mask_values(content, classes))
    kind = "class indices" if classes is None else "mask values"
    print(f"{sum(map(len, archives))} labels of {arguments.round} in {arguments.to}, {kind}")


def _refuse_data_set(to: Path) -> None:
    """Refuse the folders of photographs and masks, where files would be overwritten, or be taken for photographs.

    Raises:
        DataError: names the folder.
    """
    from auxseg.errors import DataError, ParamsError
    from auxseg.params.dag import read_params
    from auxseg.params.data import DataParams
    from auxseg.params.local import data_root

    params = DataParams.parse(read_params().get(DataParams.key))
    if params.format == "scenes":
        return
    try:
        root = data_root(params.format)
    except ParamsError:  # a reviewer's machine: no data set, nothing to lose
        return
    for folder in filter(None, (params.photos, params.masks)):
        if to.resolve() == (root / folder).resolve():
            raise DataError(f"--to {to}: the data set's own files, which others would overwrite; give another folder")


def _with_mask_values(content: bytes, classes: "ClassTable") -> bytes:
    import numpy as np

    from auxseg.images import IGNORE, decode_indices, encode_label

    table = np.full(256, IGNORE, np.uint8)
    table[: len(classes) + 1] = (0, *classes.values)
    return encode_label(table[decode_indices(content)])


def run_submission(arguments: argparse.Namespace) -> None:
    """Check that the predictions are those of VOC 2012 test, and copy them into the server's folders."""
    import numpy as np

    from auxseg.artifacts.atomic import write_bytes
    from auxseg.datasets.id_lists import VOC_LISTS, check_list
    from auxseg.datasets.listing import require_folder
    from auxseg.errors import DataError
    from auxseg.images import read_index_png

    mend = "make them with `auxseg predict --images JPEGImages --list ImageSets/Segmentation/test.txt`"
    require_folder(arguments.predictions, mend)
    paths = sorted(arguments.predictions.glob("*.png"))
    check_list(str(arguments.predictions), "test", [path.stem for path in paths], VOC_LISTS, mend)
    for path in paths:
        if (highest := int(np.max(read_index_png(path)))) > 20:
            raise DataError(f"{path}: value {highest} is no class of VOC (0..20); predict with VOC's class table")
    for path in paths:
        write_bytes(arguments.to / SUBMISSION / path.name, path.read_bytes())
    print(f"{len(paths)} predictions in {arguments.to / SUBMISSION}")
    print(f"next: tar -C {arguments.to} -czf results.tgz results, and give results.tgz to the server")


def _shards(folder: Path, round_name: str, suffix: str) -> dict[str, Path]:
    """Return shard -> file of a round.

    Raises:
        ParamsError: no such round.
        DataError: a shard is missing.
    """
    from auxseg.errors import DataError
    from auxseg.params.dag import require_round

    paths = {shard: folder / round_name / f"{shard}{suffix}" for shard in require_round(round_name)["shards"]}
    for path in paths.values():
        if not path.exists():
            raise DataError(f"{path}: no such file; run `dvc repro`, or `dvc pull`")
    return paths
