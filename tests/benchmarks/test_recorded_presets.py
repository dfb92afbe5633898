"""Figures of a preset are those of the preset as it is: a change of its values asks for a new run."""

from pathlib import Path

import pytest

from auxseg.params.presets import find_preset, read_preset
from auxseg.params.yaml_file import read_yaml

ROOT = Path(__file__).resolve().parents[2]
SPELT = {"evaluate.crf", "labels.saliency_crf"}
"""Values that have the name `paper` now."""
OTHERWISE = {"voc6": {"runtime.precision"}}
"""What docs say of a run: bfloat16 was written then where `auto` is now."""


def leaves(values: dict, above: str = "") -> dict:
    found = {}
    for key, value in values.items():
        name = f"{above}{key}"
        found |= leaves(value, f"{name}.") if isinstance(value, dict) and name not in SPELT else {name: value}
    return found


@pytest.mark.parametrize("name", ["voc6", "auxseg-best"])
def test_a_preset_is_what_its_figures_were_measured_with(name):
    recorded = leaves(read_yaml(ROOT / f"benchmarks/{name}/params.yaml"))
    preset = leaves(read_preset(find_preset(name, ROOT / "params/presets")))
    skipped = SPELT | OTHERWISE.get(name, set()) | {key for key in recorded if key.endswith("sha256")}
    shared = (recorded.keys() & preset.keys()) - skipped  # since then keys may have come, and gone
    assert len(shared) > 60
    assert {key: recorded[key] for key in shared} == {key: preset[key] for key in shared}
