"""Named experiments: tables of overrides on a base, read from experiments/ (docs/experiments.md).

A table (experiments/<table>.yaml) is one table of a paper; each of its rows is an experiment, named `table/row`. A base
(experiments/bases/<base>.yaml) is a preset with a data set and a training budget. Base, table, row and seed are sets of
overrides, as a preset is; together they give a complete params.yaml.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, ValidationError

from auxseg.errors import ParamsError
from auxseg.params.dag import DAG_KEYS
from auxseg.params.network import NetworkParams
from auxseg.params.overrides import Overrides, override
from auxseg.params.presets import FOLDER as PRESETS
from auxseg.params.presets import find_preset, read_preset
from auxseg.params.registry import SECTIONS
from auxseg.params.section import Strict, explain, suggest
from auxseg.params.template import render
from auxseg.params.yaml_file import read_yaml

FOLDER = Path("experiments")
SEEDED = ("classify", "train")
NO_RESULT = ("audit", "pipeline")
"""Sections that no figure depends on."""


class _File(Strict):
    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and validate a file.

        Raises:
            ParamsError: one line that names the file and what is wrong; for a missing file, the nearest name.
        """
        try:
            return cls.model_validate(read_yaml(path))
        except FileNotFoundError:
            known = [other.stem for other in path.parent.glob("*.yaml")]
            hint = suggest(path.stem, known, "names")
            raise ParamsError(f"{path.parent}: no '{path.stem}' there; {hint}") from None
        except ValidationError as error:
            raise ParamsError(f"{path}: {explain(cls, error)}") from None


class Base(_File):
    """The data, backbone and training budget that the experiments of a table share."""

    title: str
    extends: str
    """The name of a preset."""
    overrides: Overrides = Field({})
    hold_out: int = Field(0, ge=0)
    """Training images set aside to evaluate models on, instead of val. For choosing settings."""


class Row(Strict):
    """One experiment of a table."""

    title: str
    overrides: Overrides = Field({})
    published: list[float] = Field([])
    """The paper's figure for every round that is shown: per cent, on VOC 2012 val."""
    labels: bool = True
    """Whether its pseudo labels are meaningful: false if a task that they come from was not trained."""
    needs: str | None = None
    """A folder of the data root without which the experiment is left out."""


class Table(_File):
    """One table of a paper."""

    title: str
    rounds: int | None = Field(None, ge=1)
    """Number of trainings; null: as many as the base has."""
    each_round: bool = False
    """Show every round of an experiment, not only the last."""
    figure: Literal["labels", "model", "model+ms+crf"] = "model"
    """What the published figures measure, and what gains are computed from."""
    overrides: Overrides = Field({})
    """Overrides of all rows."""
    rows: dict[str, Row] = Field(min_length=1)


class Experiment(NamedTuple):
    """One row of a table on one base with one seed."""

    table: str
    row: str
    base: str
    seed: int
    values: dict[str, Any]
    """A complete params.yaml."""

    @property
    def name(self) -> str:
        """The experiment's name, such as `table4/none`."""
        return f"{self.table}/{self.row}"

    @property
    def text(self) -> str:
        """The text of its params.yaml."""
        return render(self.values, f"{self.name} on {self.base}, seed {self.seed}")

    @property
    def digest(self) -> str:
        """A hash of everything that its figures depend on, as twelve hexadecimal digits.

        A new parameter at its default does not change it. Parameters of AuxSegNet+ count only if that is the network.
        """
        sections = [section for section in SECTIONS if section.key not in NO_RESULT]
        chosen = {
            section.key: section.of(self.values).model_dump(mode="json", exclude_defaults=True) for section in sections
        }
        network = chosen[NetworkParams.key]
        if network.get("variant") == "auxsegnet":
            chosen[NetworkParams.key] = {key: network[key] for key in network.keys() - NetworkParams.plus_only}
        text = json.dumps({**chosen, **{key: self.values[key] for key in DAG_KEYS}}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_table(name: str, root: Path = Path()) -> Table:
    """Read experiments/<name>.yaml of the project at `root`."""
    return Table.read(root / FOLDER / f"{name}.yaml")


def read_base(name: str, root: Path = Path()) -> Base:
    """Read experiments/bases/<name>.yaml of the project at `root`."""
    return Base.read(root / FOLDER / "bases" / f"{name}.yaml")


def build(table: str, row: str, base: str, seed: int, root: Path = Path()) -> Experiment:
    """Return an experiment, its parameters validated.

    Raises:
        ParamsError: one line: an unknown table, row, base or preset, or a value that the models reject.
    """
    found, start = read_table(table, root), read_base(base, root)
    if row not in found.rows:
        raise ParamsError(f"{FOLDER}/{table}.yaml: no row '{row}'; {suggest(row, list(found.rows), 'rows')}")
    values = read_preset(find_preset(start.extends, root / PRESETS))
    rounds = {} if found.rounds is None else {"rounds": found.rounds}
    for overrides in (start.overrides, rounds, found.overrides, found.rows[row].overrides, _seeds(values, seed)):
        values = override(values, overrides, f"experiment {table}/{row} on {base}")
    return Experiment(table, row, base, seed, values)


def _seeds(values: dict[str, Any], seed: int) -> Overrides:
    overrides: Overrides = {section: {"seed": seed} for section in SEEDED}
    if values["data"]["format"] == "scenes":
        overrides["data"] = {"scenes": {"seed": seed}}
    return overrides
