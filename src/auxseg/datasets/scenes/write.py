"""The scenes on disk, in the layout of the PASCAL VOC devkit.

    JPEGImages/<id>.jpg               images
    SegmentationClass/<id>.png        exact masks; only stages that score and evaluate may read them
    ImageSets/Segmentation/<split>.txt
    image_labels.csv                  image_id, labels (class names, separated by spaces)

An id is the split and the number of the image in it (`train00017`).
"""

from functools import partial
from pathlib import Path

from PIL import Image

from auxseg.artifacts.atomic import write_text
from auxseg.artifacts.tables import write_csv
from auxseg.datasets.scenes.compose import compose
from auxseg.encoded import encode_label
from auxseg.parallel import map_processes
from auxseg.params.data import ScenesParams

JPEG_QUALITY = 92


def scene_ids(params: ScenesParams) -> dict[str, list[str]]:
    """Return the image ids of each split, in order."""
    counts = {"train": params.train, "val": params.val}
    return {split: [f"{split}{number:05d}" for number in range(count)] for split, count in counts.items()}


def write_scenes(folder: Path, params: ScenesParams) -> None:
    """Generate the data set in a folder that is new or empty; called by `auxseg.datasets.root.ensure_scenes`."""
    ids = scene_ids(params)
    jobs = [(split, number, image_id) for split in ids for number, image_id in enumerate(ids[split])]
    (folder / "JPEGImages").mkdir(parents=True)
    (folder / "SegmentationClass").mkdir(parents=True)
    tags = map_processes(partial(_write_scene, folder, params), jobs, "scenes")
    for split, names in ids.items():
        write_text(folder / "ImageSets" / "Segmentation" / f"{split}.txt", "".join(f"{name}\n" for name in names))
    write_csv(folder / "image_labels.csv", ("image_id", "labels"), tags)


def _write_scene(folder: Path, params: ScenesParams, job: tuple[str, int, str]) -> tuple[str, str]:
    split, number, image_id = job
    scene = compose(params.seed, split, number, params.side)
    Image.fromarray(scene.image).save(folder / "JPEGImages" / f"{image_id}.jpg", quality=JPEG_QUALITY)
    (folder / "SegmentationClass" / f"{image_id}.png").write_bytes(encode_label(scene.mask))
    return image_id, " ".join(scene.tags)
