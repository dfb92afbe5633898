"""Small data sets out of the ordinary, and the real stages on them, one after the other in one process.

Only the backbone is another one: four convolutions, unless a real one is asked for.
"""

import contextlib
import io
import json
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import yaml
from PIL import Image
from tiny_networks import strided_backbone

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import read_csv
from auxseg.cli.table import print_table
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import ImageRecord
from auxseg.datasets.scan import content_sha256, scan, write_raw
from auxseg.encoded import decode_indices, encode_label
from auxseg.errors import AuxsegError
from auxseg.models.backbones import BACKBONES
from auxseg.pipeline.stage import Stage

CLASSES = ("cat", "dog")
COLOURS = {"cat": (220, 60, 50), "dog": (40, 80, 220)}
PARAMS = {
    **tiny.PARAMS,
    "shards": ["00"],
    "saliency": {"superpixels": 20},
    "classify": {
        "epochs": 2,
        "batch_size": 4,
        "optimiser": {"lr": 0.01},
        "augment": {"crop": 32, "resize_long": [32, 40]},
    },
    "train": {"epochs": 2, "augment": {"crop": 32, "scale": [0.7, 1.3]}},
}


@dataclass(frozen=True)
class Picture:
    """One image of a set: what its file holds, its mask, uint8 (H, W), or None, and its image-level labels."""

    image: Image.Image
    mask: np.ndarray | None
    tags: tuple[str, ...]
    split: str = "train"
    extension: str = "png"


def draw(*tags: str, split: str = "train", size: tuple[int, int] = (48, 64), seed: int = 0) -> Picture:
    """Return an image of `size`, (height, width), with a box of its class's colour for every tag, side by side."""
    height, width = size
    # without noise of its own, two images with the same tags would be the same file
    rgb = np.random.default_rng(seed).integers(90, 130, (height, width, 3)).astype(np.uint8)
    mask = np.zeros(size, np.uint8)
    for number, tag in enumerate(tags):
        left = width // 8 + number * width // 2
        box = slice(height // 4, height // 4 + max(1, height // 2)), slice(left, left + max(1, width // 3))
        rgb[box], mask[box] = COLOURS[tag], CLASSES.index(tag) + 1
    return Picture(Image.fromarray(rgb), mask, tags, split)


def several(*pictures: tuple[str, str], sizes: tuple[tuple[int, int], ...] = ((48, 64),)) -> dict[str, Picture]:
    """Return images i0, i1, … from (tags, split), tags separated by a space; their sizes take turns."""
    return {
        f"i{number}": draw(*tags.split(), split=split, size=sizes[number % len(sizes)], seed=number)
        for number, (tags, split) in enumerate(pictures)
    }


@dataclass(frozen=True)
class Case:
    """A data set and what differs from PARAMS."""

    pictures: Mapping[str, Picture]
    params: Mapping[str, Any] = field(default_factory=dict)
    saliency: int | None = None
    """The grey level of all saliency maps, which are then precomputed."""
    says: tuple[str, ...] = ()
    """Parts of warnings."""


@dataclass
class Run:
    """What the stages left, and where they stopped."""

    folder: Path
    case: Case
    warnings: list[str] = field(default_factory=list)
    stopped: str = ""
    """The message of the stage that stopped, and its address."""
    address: str = ""
    printed: str = ""
    """What `auxseg table` prints."""

    @property
    def store(self) -> Store:
        """The paths of the artifacts."""
        return Store(self.folder)

    @property
    def rounds(self) -> list[Round]:
        """All rounds, r0 first."""
        return Round.up_to(Round(len(yaml.safe_load((self.folder / "params.yaml").read_text())["rounds"])))

    def records(self, split: str | None = None) -> list[ImageRecord]:
        """Return the images of the manifest."""
        return Dataset(self.store).records(split)

    def labels(self, round_: Round) -> dict[str, np.ndarray]:
        """Return id -> pseudo label."""
        return decoded(self.store.labels(round_, "00"))

    def predictions(self, round_: Round) -> dict[str, np.ndarray]:
        """Return id -> final prediction on val."""
        return decoded(self.store.predictions(round_))

    def table(self, name: str) -> list[dict[str, str]]:
        """Return the rows of a table of the summary."""
        return read_csv(self.store.table(f"{name}.csv"))

    def figures(self, round_: Round) -> dict[str, float | None]:
        """Return the guard's figures of a round."""
        return json.loads(self.store.judgement(round_).read_text())["figures"]


def decoded(path: Path) -> dict[str, np.ndarray]:
    """Return the PNGs of an archive, without extension -> indices."""
    return {name.removesuffix(".png"): decode_indices(content) for name, content in Archive(path).items()}


def write_set(root: Path, case: Case) -> dict[str, Any]:
    """Write the data root of a case; return its params.yaml."""
    (root / "images").mkdir(parents=True)
    (root / "masks").mkdir()
    rows = ["image_id,labels,split"]
    for name, one in case.pictures.items():
        one.image.save(root / f"images/{name}.{one.extension}")
        rows.append(f"{name},{';'.join(one.tags)},{one.split}")
        if one.mask is not None:
            (root / f"masks/{name}.png").write_bytes(encode_label(one.mask))
    (root / "image_labels.csv").write_text("\n".join(rows) + "\n")
    data = {"format": "folder", "classes": list(CLASSES), "folder": {"masks": "masks"}}
    params = {**PARAMS, "data": data}
    if case.saliency is not None:
        (root / "saliency").mkdir()
        for name, one in case.pictures.items():
            Image.new("L", one.image.size, case.saliency).save(root / f"saliency/{name}.png")
        found = content_sha256(root / "saliency", "saliency.path", str(root))
        params["saliency"] = {"provider": "precomputed", "path": "saliency", "sha256": found}
    for section, values in case.params.items():
        is_section = isinstance(values, dict) and section != "rounds"
        params[section] = {**params[section], **values} if is_section else values
    return params


def instances(rounds: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield stage, round and shard of every instance after `code`, in an order in which they can run."""
    yield from (
        ("prepare", "", ""),
        ("saliency", "", "00"),
        ("classify", "", ""),
        ("tag_score", "", ""),
        ("cam", "", "00"),
    )
    for name in ("r0", *rounds):
        if name != "r0":
            yield from (("train", name, ""), ("propagate", name, "00"), ("evaluate", name, ""))
        yield from (("labels", name, "00"), ("review", name, ""), ("score", name, "00"))
        yield ("baseline", "", "") if name == "r0" else ("guard", name, "")
    yield from (("summary", "", ""), ("audit", "", ""))


def run_stages(folder: Path, case: Case, load_stage: Callable[[str], Any], backbone: str | None = None) -> Run:
    """Write a case and run all stages on it, up to one that stops; `backbone` names a real one."""
    params = write_set(folder / "raw", case)
    if backbone:
        params["backbone"] = {"name": backbone, "weights": "random"}
    project = folder / "project"
    project.mkdir()
    shutil.copy(tiny.ROOT / "dvc.yaml", project)
    shutil.copytree(tiny.ROOT / "review", project / "review")
    (project / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    write_raw(project / "data/raw.yaml", scan(folder / "raw"))
    run = Run(project, case)
    run_instances(run, load_stage, instances(params["rounds"]), real=backbone is not None)
    return run


def run_instances(
    run: Run, load_stage: Callable[[str], Any], wanted: Iterable[tuple[str, str, str]], real: bool = False
) -> None:
    """Run some instances in a project, and `auxseg table` if none of them stops; `real` leaves the backbone alone."""
    with pytest.MonkeyPatch.context() as patch, _warnings(run.warnings):
        patch.chdir(run.folder)
        patch.setenv("AUXSEG_DATA", str(run.folder.parent / "raw"))
        patch.setattr("auxseg.parallel.available_cpus", lambda: 1)
        patch.setattr("auxseg.prediction.background_processes", map)  # starting a process takes longer than the CRFs
        if not real:
            patch.setitem(BACKBONES, "resnet18", strided_backbone)
        for stage, round_name, shard in wanted:
            one = Stage(stage, round_name, shard)
            try:
                load_stage(stage).main(one)
            except AuxsegError as error:
                run.stopped, run.address = str(error), one.address
                return
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            print_table()
        run.printed = printed.getvalue()


@contextlib.contextmanager
def _warnings(lines: list[str]) -> Iterator[None]:
    """Collect warnings and errors of the log."""

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler = Collect(logging.WARNING)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
