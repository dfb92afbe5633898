"""`data`: the images, their classes, and where labels and masks are. Paths are relative to the data root."""

from pathlib import PurePosixPath
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from auxseg.params.section import MOST_IMAGES, Section, Seed, Strict

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


MASK_EXTENSIONS = (".png", ".tif", ".tiff", ".npy")
"""Extensions of files with one mask each; the first is the usual one."""


def _mask_suffix(suffix: str) -> str:
    extension = PurePosixPath(f"id{suffix}").suffix.lower()
    if "/" in suffix or "\\" in suffix or extension not in ("", *MASK_EXTENSIONS):
        raise ValueError(
            f"must be the rest of a file name after the id, without an extension or with {', '.join(MASK_EXTENSIONS)}"
        )
    return suffix


def with_mask_extensions(suffix: str) -> tuple[str, ...]:
    """Return what follows the id in the names of mask files: `suffix` itself, or with each extension if it has none."""
    if suffix.lower().endswith(MASK_EXTENSIONS):
        return (suffix,)
    return tuple(suffix + extension for extension in MASK_EXTENSIONS)


MaskSuffix = Annotated[str, AfterValidator(_mask_suffix)]
"""What follows the id in the file name of a mask; see `with_mask_extensions`."""

MaskValue = Annotated[int, Field(ge=0, le=254)]
"""A value of a mask; 255 is always ignored."""

Band = Annotated[int, Field(ge=1, le=65_535)]
"""A band of a TIFF, counted from 1."""

DEFAULT_MASKS = "SegmentationClass"
"""VOC's folder of masks, which may be missing; any other folder that is named must be there."""


class ScenesParams(Strict):
    """The embedded data set, generated; the same seed gives the same images."""

    train: int = Field(300, ge=1, le=MOST_IMAGES)
    """Training images."""
    val: int = Field(100, ge=0, le=MOST_IMAGES)
    """Validation images."""
    side: int = Field(160, ge=64, le=512)
    """Side of an image, pixels."""
    seed: Seed = 0
    """Seed of the generator; another seed gives another data set."""


class FolderParams(Strict):
    """A plain folder of images with a CSV of labels."""

    images: InRoot = "images"
    """Folder of images; an image's id is its file name without the extension."""
    masks: InRoot | None = None
    """Folder of masks, or null: everything runs without masks, only mIoU is missing."""
    mask_suffix: MaskSuffix = ""
    """What follows the id in the file name of a mask, as `_mask` in `img1_mask.png`. With an extension (`_mask.png`),
    only files with this one are masks; without, .png, .tif, .tiff and .npy are."""
    val_share: float | None = Field(None, ge=0, lt=1)
    """Share of images put into `val` (by a hash of the id) if the CSV has no column `split`. null: 0.2 with `masks`;
    0 without them, because there is nothing to validate with, and every image is used for training and labelled."""

    def val_fraction(self, can_validate: bool) -> float:
        """Return the share of images put into `val`: the given one, or one that is 0 if they could not be measured."""
        if self.val_share is not None:
            return self.val_share
        return 0.2 if can_validate else 0.0


class DataParams(Section):
    """The data set."""

    key: ClassVar[str] = "data"

    format: Literal[
        "scenes",
        "voc",
        "coco",
        "folder",
        "coco-json",
        "labelme",
        "cvat",
        "label-studio",
        "class-folders",
        "roboflow-csv",
    ] = "scenes"
    """scenes: the embedded data set. voc: the VOC devkit's layout. coco: the same layout with COCO's classes, as `make
    coco` writes it. folder: images and a CSV. coco-json, labelme, cvat, label-studio: as these tools export it; labels
    come from the annotations. class-folders: one folder per class. roboflow-csv: a folder per split with a _classes.csv
    (docs/data.md)."""
    annotations: InRoot | None = None
    """coco-json, labelme, label-studio: the JSON file, or the folder of them. null: found in the data root."""
    classes: dict[str, int] | list[str] | None = None
    """Object classes: `name: mask value`, a list (mask values 1, 2, …), or null for those of the format (VOC's twenty,
    COCO's eighty, the scenes' six; for a folder, the names in its CSV in alphabetical order). Class indices 1..C follow
    the mask values."""
    unlisted: Literal["error", "ignore", "background"] = "error"
    """What to do with mask values and labels outside `classes`. error: reject them. ignore: such pixels become 255,
    such labels are dropped, and an image without any other label is left out. background: such pixels become 0, such
    labels are dropped, and an image without any other label shows no object."""
    tags: Literal["complete", "partial"] = "complete"
    """Whether the image-level labels name every class in an image. partial: a further class in a mask is not reported
    as a contradiction of mask and labels."""
    labels: Literal["csv", "xml", "npy", "lists"] = "csv"
    """Image-level labels: a CSV `image_id,labels`, VOC's Annotations, the field's pickled `cls_labels.npy`, or the
    lists of images themselves, with class numbers from 0 on after each id (`2007_000032 0 14`)."""
    labels_file: InRoot = "image_labels.csv"
    """The CSV, .json or .npy file; a CSV may have one column per class with 0 and 1 in it. In the .npy file, column k
    of a vector of length 20 is VOC's class k + 1; of any other length, it is the class with mask value k + 1."""
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
    """voc, coco, cvat: the folder of masks (SegmentationClassAug has SBD's too)."""
    mask_suffix: MaskSuffix = ""
    """voc, coco: what follows the id in the file name of a mask, as `folder.mask_suffix` for other formats."""
    colours: InRoot | None = None
    """The masks are PNGs or TIFFs in colours, and this file lists the colour of each class: CVAT's labelmap.txt, or a
    CSV with `name,r,g,b` or `name,colour` (#rrggbb). null: the masks have mask values."""
    background: int | None = Field(0, ge=0, le=254)
    """The mask value of the background. null: masks have none, and 0 may be the value of a class."""
    void: list[MaskValue] = Field([])
    """Mask values besides 255 that say nothing about a pixel; they become 255 (ignore)."""
    reduce_zero_label: bool = False
    """As in mmsegmentation: 0 is ignored, and the classes are 1, 2, … in the mask; there is no background unless
    `background` names a value."""
    bits: int | None = Field(None, ge=9, le=16)
    """Bits in use of 16-bit images: 12 for values of 0..4095. null: all 16."""
    bands: list[Band] | None = Field(None, min_length=3, max_length=3)
    """The bands of a multi-band TIFF that are red, green and blue, counted from 1. null: the first three."""
    same_file: Literal["error", "warning"] = "error"
    """What to do if train and val contain the same file; warning is for published splits, which are fixed."""
    scenes: ScenesParams = ScenesParams()
    folder: FolderParams = FolderParams()

    @property
    def photos(self) -> str:
        """The folder of images of this format, relative to the data root."""
        return "JPEGImages" if self.in_voc_layout else self.folder.images

    @property
    def masks(self) -> str | None:
        """The folder of masks of this format, relative to the data root; None without masks."""
        if self.in_voc_layout or self.format == "cvat":
            return self.mask_folder
        return self.folder.masks if self.has_mask_files else None

    @property
    def has_mask_files(self) -> bool:
        """Whether the masks, if there are any, are files in `folder.masks`."""
        return self.format in ("folder", "class-folders", "roboflow-csv")

    @property
    def mask_suffixes(self) -> tuple[str, ...]:
        """What may follow the id in the file name of a mask of this format."""
        return with_mask_extensions(self.mask_suffix if self.in_voc_layout else self.folder.mask_suffix)

    @property
    def mask_suffix_key(self) -> str:
        """The key that chooses `mask_suffixes`, for messages."""
        return "data.mask_suffix" if self.in_voc_layout else "data.folder.mask_suffix"

    @property
    def in_voc_layout(self) -> bool:
        """Whether images and masks lie as in the VOC devkit."""
        return self.format in ("scenes", "voc", "coco")

    @property
    def is_annotated(self) -> bool:
        """Whether a reader of `auxseg.datasets.annotations` reads labels and masks."""
        return not self.in_voc_layout and self.format != "folder"

    @property
    def has_plain_values(self) -> bool:
        """Whether masks have 0 for the background, 255 for ignored pixels, and other values for classes."""
        return self.background == 0 and not self.void and not self.reduce_zero_label and self.colours is None

    @model_validator(mode="after")
    def _distinct_values(self) -> "DataParams":
        if isinstance(self.classes, dict):
            lowest = 1 if self.background == 0 else 0
            for name, value in self.classes.items():
                if not lowest <= value <= 254:
                    reason = {
                        0: ", because 0 is the background (set data.background to null, or to its value, if it is not)",
                        255: ", because 255 is ignored",
                    }.get(value, "")
                    raise ValueError(f"mask value {value} of '{name}' must be within {lowest}..254{reason}")
            if len(set(self.classes.values())) != len(self.classes):
                raise ValueError("mask values of classes must be distinct")
        if self.colours is None:
            self._check_other_values()
        if isinstance(self.classes, list) and len(set(self.classes)) != len(self.classes):
            raise ValueError("class names must be distinct")
        return self

    def _check_other_values(self) -> None:
        if self.background in self.void:
            raise ValueError(
                f"mask value {self.background} is data.background and in data.void; remove it from one of them (null: "
                "masks have no background)"
            )
        own = {"voc": len(VOC_CLASSES), "coco": len(COCO_CLASSES)}.get(self.format, 0)
        listed = range(1, 1 + (own if self.classes is None else len(self.classes)))
        values = set(self.classes.values() if isinstance(self.classes, dict) else listed)
        if taken := {self.background, *self.void, *([0] if self.reduce_zero_label else [])} & values:
            raise ValueError(f"mask value {taken.pop()} is also data.background, data.void or reduce_zero_label")

    @field_validator("classes")
    @classmethod
    def _some_classes(cls, classes: dict[str, int] | list[str] | None) -> dict[str, int] | list[str] | None:
        if classes is not None and not 1 <= len(classes) <= 254:
            raise ValueError("must name 1 to 254 classes")
        if isinstance(classes, dict):  # to DVC, maps in another order are the same parameter
            return dict(sorted(classes.items(), key=lambda item: item[1]))
        return classes
