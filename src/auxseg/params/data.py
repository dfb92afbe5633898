"""`data`: the images, their classes, and where labels and masks are. Paths are relative to the data root."""

from pathlib import PurePosixPath
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

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
        raise ValueError("must be inside the data root, because `auxseg scan` looks only there; put a link to it there")
    return path


InRoot = Annotated[str, AfterValidator(_inside)]
"""A path relative to the data root, and inside it."""


def _png(suffix: str) -> str:
    if not suffix.lower().endswith(".png") or "/" in suffix or "\\" in suffix:
        raise ValueError("must be the rest of a file name after the id, and end with .png; masks are PNGs")
    return suffix


MaskSuffix = Annotated[str, AfterValidator(_png)]
"""What follows the id in the file name of a mask, as in `_mask.png`."""

DEFAULT_MASKS = "SegmentationClass"
"""VOC's folder of masks, which may be missing; any other folder that is named must be there."""


class ScenesParams(Strict):
    """The embedded data set, generated; the same seed gives the same images."""

    train: int = Field(300, ge=1)
    """Training images."""
    val: int = Field(100, ge=0)
    """Validation images."""
    side: int = Field(160, ge=64, le=512)
    """Side of an image, pixels."""
    seed: int = Field(0, ge=0)
    """Seed of the generator; another seed gives another data set."""


class FolderParams(Strict):
    """A plain folder of images with a CSV of labels."""

    images: InRoot = "images"
    """Folder of images; an image's id is its file name without the extension."""
    masks: InRoot | None = None
    """Folder of masks, or null: everything runs without masks, only mIoU is missing."""
    mask_suffix: MaskSuffix = ".png"
    """What follows the id in the file name of a mask, as `_mask.png` in `img1_mask.png`."""
    val_share: float | None = Field(None, ge=0, lt=1)
    """Share of images put into `val` (by a hash of the id) if the CSV has no column `split`. null: 0.2 with `masks`;
    0 without them, because there is nothing to validate with, and every image is used for training and labelled."""

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
    """scenes: the embedded data set. voc: the VOC devkit's layout. coco: the same layout with COCO's classes, as `make
    coco` writes it. folder: images and a CSV."""
    classes: dict[str, int] | list[str] | None = None
    """Object classes: `name: mask value`, a list (mask values 1, 2, …), or null for those of the format (VOC's twenty,
    COCO's eighty, the scenes' six; for a folder, the names in its CSV in alphabetical order). Class indices 1..C follow
    the order given."""
    unlisted: Literal["error", "ignore", "background"] = "error"
    """What to do with mask values and labels outside `classes`. error: reject them. ignore, background: such pixels
    become 255 or 0, such labels are dropped, and an image without any other label is left out."""
    tags: Literal["complete", "partial"] = "complete"
    """Whether the image-level labels name every class in an image. partial: a further class in a mask is not reported
    as a contradiction of mask and labels."""
    labels: Literal["csv", "xml", "npy"] = "csv"
    """Image-level labels: a CSV `image_id,labels`, VOC's Annotations, or the field's pickled `cls_labels.npy`."""
    labels_file: InRoot = "image_labels.csv"
    """The CSV or .npy file. In the .npy file, column k of a vector of length 20 is VOC's class k + 1; of any other
    length, it is the class with mask value k + 1."""
    difficult: bool = True
    """xml only: count objects marked difficult, as the field's cls_labels.npy does."""
    train_split: str = "train"
    """voc, coco: the list of training images in ImageSets/Segmentation (train, train_aug, …)."""
    val_split: str | None = "val"
    """voc, coco: the list of images that models are evaluated on, or null."""
    score_split: str | None = None
    """voc, coco: score pseudo labels only on the training images of this list (VOC's 1,464: train); null: on all that
    have a mask."""
    mask_folder: InRoot = DEFAULT_MASKS
    """voc, coco: the folder of masks (SegmentationClassAug has SBD's too)."""
    mask_suffix: MaskSuffix = ".png"
    """voc, coco: what follows the id in the file name of a mask, as `_mask.png` in `img1_mask.png`."""
    scenes: ScenesParams = ScenesParams()
    folder: FolderParams = FolderParams()

    @property
    def photos(self) -> str:
        """The folder of images of this format, relative to the data root."""
        return self.folder.images if self.format == "folder" else "JPEGImages"

    @property
    def masks(self) -> str | None:
        """The folder of masks of this format, relative to the data root; None without masks."""
        return self.folder.masks if self.format == "folder" else self.mask_folder

    @model_validator(mode="after")
    def _distinct_values(self) -> "DataParams":
        if isinstance(self.classes, dict):
            values = list(self.classes.values())
            if len(set(values)) != len(values) or not all(1 <= value <= 254 for value in values):
                raise ValueError("mask values of classes must be distinct and within 1..254")
        if isinstance(self.classes, list) and len(set(self.classes)) != len(self.classes):
            raise ValueError("class names must be distinct")
        return self

    @model_validator(mode="after")
    def _at_least_one_class(self) -> "DataParams":
        if self.classes is not None and not 1 <= len(self.classes) <= 254:
            raise ValueError("classes must name 1 to 254 classes")
        return self
