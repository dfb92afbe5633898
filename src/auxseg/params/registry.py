"""Every section of params.yaml with its model, and the check of a whole file."""

from pathlib import Path
from typing import Any

from auxseg.params.audit import AuditParams
from auxseg.params.backbone import BackboneParams
from auxseg.params.cam import CamParams
from auxseg.params.classify import ClassifyParams
from auxseg.params.dag import PARAMS_FILE, read_params
from auxseg.params.data import DataParams
from auxseg.params.evaluate import EvaluateParams
from auxseg.params.guard import GuardParams
from auxseg.params.labels import LabelsParams
from auxseg.params.network import NetworkParams
from auxseg.params.pipeline import PipelineParams
from auxseg.params.propagate import PropagateParams
from auxseg.params.review import ReviewParams
from auxseg.params.runtime import RuntimeParams
from auxseg.params.saliency import SaliencyParams
from auxseg.params.section import Section
from auxseg.params.train import TrainParams

SECTIONS: tuple[type[Section], ...] = (
    RuntimeParams,
    DataParams,
    SaliencyParams,
    BackboneParams,
    ClassifyParams,
    CamParams,
    LabelsParams,
    ReviewParams,
    GuardParams,
    NetworkParams,
    TrainParams,
    PropagateParams,
    EvaluateParams,
    AuditParams,
    PipelineParams,
)
"""In the order in which params.yaml lists them."""


def check(path: Path = PARAMS_FILE) -> dict[str, Any]:
    """Validate a complete parameter file and return its values as they are in the file.

    Raises:
        ParamsError: one line that names the file and the key, and how to fix it.
    """
    values = read_params(path)
    check_sections(values, str(path))
    return values


def check_sections(values: dict[str, Any], source: str = str(PARAMS_FILE)) -> None:
    """Validate every section; `source` is for messages.

    Raises:
        ParamsError: as for `check`.
    """
    for section in SECTIONS:
        section.of(values, source)
