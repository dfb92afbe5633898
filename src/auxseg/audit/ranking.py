"""The order in which the report shows the labels of a round: by one of its figures, the most suspicious first."""

from collections.abc import Mapping
from pathlib import Path

from auxseg.artifacts.rounds import Round
from auxseg.audit.figures import FIGURES
from auxseg.audit.scripts import read_data_script
from auxseg.errors import DataError

SMALLEST_FIRST = tuple(figure.key for figure in FIGURES if figure.worst == "smallest")
"""Figures of which a small value is suspicious; of the others a large one."""


def rank_labels(report: Path, round_: Round, figure: str, hashes: Mapping[str, str]) -> list[str]:
    """Return the ids of the train images that the report shows, as its gallery sorts them; without those that have no
    value.

    Args:
        report: the folder of the report.
        round_: the round.
        figure: key of a figure.
        hashes: image id -> SHA-256 of its label today.

    Raises:
        DataError: the report is missing, does not show the round, or shows other labels.
    """
    base = read_data_script(report / "index/base.js")
    if str(round_) not in base["rounds"]:
        raise DataError(f"{report}: does not show {round_}; run `dvc repro audit`")
    page, ids = read_data_script(report / f"index/{round_}-train.js"), base["records"]["train"]["id"]
    if any(hashes.get(image_id) != label for image_id, label in zip(ids, page["label"], strict=True)):
        raise DataError(f"{report}: shows other labels of {round_} than there are now; run `dvc repro audit`")
    if figure not in page["figures"]:
        raise DataError(
            f"{report}: has no figure '{figure}' of {round_}; run `dvc repro audit`, or order by another figure: "
            f"{', '.join(page['figures'])}"
        )
    sign = 1 if figure in SMALLEST_FIRST else -1
    values = zip(page["figures"][figure], range(len(ids)), strict=True)
    return [ids[position] for _, position in sorted((sign * value, i) for value, i in values if value is not None)]


KEYS = tuple(figure.key for figure in FIGURES)
"""Keys of the figures that labels can be ranked by."""
