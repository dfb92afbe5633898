"""`data`: which photographs, which classes, where labels and masks are. Paths are relative to the data root."""

from pathlib import PurePosixPath
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, field_validator

from auxseg.params.section import Section, Strict

VOC_CLASSES = (
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)
"""The 20 classes of PASCAL VOC in the order of their mask values 1..20."""

COCO_CLASSES = (
    "person",
    "bicycle",
    "car",
    "motorcycle",
    "airplane",
    "bus",
    "train",
    "truck",
    "boat",
    "traffic light",
    "fire hydrant",
    "stop sign",
    "parking meter",
    "bench",
    "bird",
    "cat",
    "dog",
    "horse",
    "sheep",
    "cow",
    "elephant",
    "bear",
    "zebra",
    "giraffe",
    "backpack",
    "umbrella",
    "handbag",
    "tie",
    "suitcase",
    "frisbee",
    "skis",
    "snowboard",
    "sports ball",
    "kite",
    "baseball bat",
    "baseball glove",
    "skateboard",
    "surfboard",
    "tennis racket",
    "bottle",
    "wine glass",
    "cup",
    "fork",
    "knife",
    "spoon",
    "bowl",
    "banana",
    "apple",
    "sandwich",
    "orange",
    "broccoli",
    "carrot",
    "hot dog",
    "pizza",
    "donut",
    "cake",
    "chair",
    "couch",
    "potted plant",
    "bed",
    "dining table",
    "toilet",
    "tv",
    "laptop",
    "mouse",
    "remote",
    "keyboard",
    "cell phone",
    "microwave",
    "oven",
    "toaster",
    "sink",
    "refrigerator",
    "book",
    "clock",
    "vase",
    "scissors",
    "teddy bear",
    "hair drier",
    "toothbrush",
)
"""The 80 classes of COCO in the order of their mask values 1..80 (`auxseg.datasets.coco` has their 91 ids)."""


def _inside(path: str) -> str:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError("must be inside the data root, all that `auxseg scan` looks at; put a link to it there")
    return path


InRoot = Annotated[str, AfterValidator(_inside)]
"""A path relative to the data root, and inside it."""


class ScenesParams(Strict):
    """The embedded data set: generated, deterministic per seed."""

    train: int = Field(300, ge=1)
    """Training images."""
    val: int = Field(100, ge=0)
    """Validation images."""
    side: int = Field(160, ge=64, le=512)
    """Side of an image, pixels."""
    seed: int = Field(0, ge=0)
    """Another seed is another data set."""


class FolderParams(Strict):
    """A plain folder of images with a CSV of labels."""

    images: InRoot = "images"
    """Folder of images; an image's id is its file name without the ending."""
    masks: InRoot | None = None
    """Folder of `<id>.png` masks, or null: without masks everything runs and only mIoU is absent."""
    val_share: float | None = Field(None, ge=0, lt=1)
    """Share of images put into `val` (by a hash of the id) when the CSV has no column `split`. null: 0.2 with `masks`;
    without them 0, because there is nothing to validate with, and every image is trained on and labelled."""

    @property
    def val_fraction(self) -> float:
        """The share of images put into `val`, whether it is given or follows from `masks`."""
        if self.val_share is not None:
            return self.val_share
        return 0.0 if self.masks is None else 0.2


class DataParams(Section):
    """The data set."""

    key: ClassVar[str] = "data"

    format: Literal["scenes", "voc", "coco", "folder"] = "scenes"
    """scenes: the embedded set. voc: the VOC devkit's layout. coco: that layout, as `make coco` writes it, with COCO's
    classes. folder: images and a CSV."""
    classes: dict[str, int] | list[str] | None = None
    """Object classes as `name: mask value`, or a list (mask values 1, 2, …), or null for the format's own
    (VOC's twenty, COCO's eighty, the scenes' six; of a folder: the labels' names in alphabetical order). The order
    given is the order of class indices 1..C."""
    unlisted: Literal["error", "ignore", "background"] = "error"
    """Mask values and labels outside `classes`. error: they are refused. ignore, background: such pixels become 255 or
    0, such labels are dropped, and an image without any other label is left out."""
    labels: Literal["csv", "xml", "npy"] = "csv"
    """Image-level labels: a CSV `image_id,labels`, VOC's Annotations, or the field's pickled `cls_labels.npy`."""
    labels_file: InRoot = "image_labels.csv"
    """The CSV or .npy file. In the .npy, column k of a vector of 20 is VOC's class k + 1; of another length, the class
    with mask value k + 1."""
    difficult: bool = True
    """xml only: count objects marked difficult, as the field's cls_labels.npy does."""
    train_split: str = "train"
    """voc, coco: the list in ImageSets/Segmentation that is trained on (train, train_aug, …)."""
    val_split: str | None = "val"
    """voc, coco: the list that models are evaluated on, or null."""
    score_split: str | None = None
    """voc, coco: pseudo labels are scored on the training images of this list alone (VOC's 1,464: train); null: on
    all that have a mask."""
    mask_folder: InRoot = "SegmentationClass"
    """voc, coco: the folder of masks (SegmentationClassAug: SBD's too)."""
    same_file: Literal["error", "warning"] = "error"
    """What it is if train and val contain the same file; warning is for published splits, which are fixed."""
    scenes: ScenesParams = ScenesParams()
    folder: FolderParams = FolderParams()

    @property
    def photos(self) -> str:
        """The folder of photographs of this format, relative to the data root."""
        return self.folder.images if self.format == "folder" else "JPEGImages"

    @property
    def masks(self) -> str | None:
        """The folder of masks of this format, relative to the data root; None without masks."""
        return self.folder.masks if self.format == "folder" else self.mask_folder

    @field_validator("classes")
    @classmethod
    def _distinct_values(cls, classes: dict[str, int] | list[str] | None) -> dict[str, int] | list[str] | None:
        if classes is None:
            return None
        if not 1 <= len(classes) <= 254:
            raise ValueError("must name 1 to 254 classes")
        if isinstance(classes, list):
            if len(set(classes)) != len(classes):
                raise ValueError("class names must be distinct")
            return classes
        for name, value in classes.items():
            if not 1 <= value <= 254:
                reason = {0: ", because 0 is the background", 255: ", because 255 is ignored"}.get(value, "")
                raise ValueError(f"mask value {value} of '{name}' must be within 1..254{reason}")
        if len(set(classes.values())) != len(classes):
            raise ValueError("mask values of classes must be distinct")
        return classes
