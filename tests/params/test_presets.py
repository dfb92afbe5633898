"""What the presets promise: complete files, chosen by one command, with the published figure and its source."""

from pathlib import Path

import pytest
import yaml

from auxseg.cli.main import main
from auxseg.params.template import title_of

PRESETS = Path(__file__).resolve().parents[2] / "params/presets"
PAPERS = ("voc-auxsegnet", "voc-auxsegnet-plus", "coco-auxsegnet-plus", "c1")


def values(name):
    return yaml.safe_load((PRESETS / f"{name}.yaml").read_text())


def title(name):
    return title_of((PRESETS / f"{name}.yaml").read_text())


def test_names():
    assert {path.stem for path in PRESETS.glob("*.yaml")} >= {*PAPERS, "own-data", "smoke", "demo", "voc6"}


@pytest.mark.parametrize("path", sorted(PRESETS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_list_has_one_short_line_a_preset(path, monkeypatch, capsys):
    monkeypatch.chdir(PRESETS.parents[1])
    assert main(["use"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.split()[0] == path.stem)
    assert 30 < len(line) <= 130


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("voc-auxsegnet", ("64.1, 65.6, 66.0, 66.1", "69.0", "68.6", "2107.11787")),
        ("voc-auxsegnet-plus", ("66.1", "69.0", "2107.11787", "not published", "no score may be quoted as P2's")),
        ("coco-auxsegnet-plus", ("33.9", "2107.11787", "not published", "no score may be quoted as P2's")),
        ("c1", ("reports 66.1", "69.0", "2107.11787", "released code's own figure is not published")),
        ("smoke", ("No published figure",)),
        ("own-data", ("No published figure",)),
        ("voc6", ("No published figure",)),
    ],
)
def test_each_names_its_figure_and_source(name, figures):
    for figure in figures:
        assert figure in title(name)


def test_p1s_recipe():
    """P1, section 4 (docs/method.md section 3): what the paper says; the released code's values are in c1."""
    found = values("voc-auxsegnet")
    train, optimiser = found["train"], found["train"]["optimiser"]
    assert (train["epochs"], train["batch_size"], train["augment"]["crop"], len(found["rounds"])) == (10, 4, 321, 4)
    assert (optimiser["lr"], optimiser["power"]) == (0.001, 0.9)
    assert (found["backbone"]["name"], found["backbone"]["output_stride"]) == ("resnet38", 8)
    assert (found["network"]["variant"], found["network"]["rates"]) == ("auxsegnet", [6, 12, 18])
    assert (found["labels"]["cam_threshold"], found["labels"]["saliency_threshold"]) == (0.2, 0.06)
    assert found["evaluate"]["scales"] == [0.5, 0.75, 1.0, 1.25, 1.5]


def test_voc_is_trained_on_10582_and_scored_on_1464():
    for name in ("voc-auxsegnet", "voc-auxsegnet-plus", "c1"):
        data = values(name)["data"]
        assert (data["train_split"], data["score_split"], data["val_split"]) == ("train_aug", "train", "val")


def test_plus_differs_from_p1_in_the_network_alone():
    one, plus = values("voc-auxsegnet"), values("voc-auxsegnet-plus")
    assert {key for key in one if one[key] != plus[key]} == {"network"}


def test_own_data_is_trained_for_any_number_of_images():
    """Its settings are those of docs/own-data.md; benchmarks/small_sets.py measures them."""
    own = values("own-data")
    for section in ("classify", "train"):
        assert (own[section]["epochs"], own[section]["steps"]) == (None, "auto")
        # longer sides, not scale factors: small and large photos are trained on at the same size
        assert own[section]["augment"]["scale"] is None
    assert own["data"]["folder"]["val_share"] is None and own["data"]["folder"]["masks"] is None
    assert own["runtime"]["precision"] == "float32"


def test_the_papers_presets_count_epochs_and_keep_refined_cams_as_they_are():
    for name in ("voc-auxsegnet", "voc-auxsegnet-plus", "c1", "coco-auxsegnet-plus"):
        found = values(name)
        assert found["classify"]["steps"] is None and found["train"]["steps"] is None
        assert (found["propagate"]["scales"], found["propagate"]["flip"]) == ([1.0], False)
        assert found["propagate"]["initial_share"] == 0


def test_many_instances_are_recorded_by_the_controller():
    """docs/scale.md: from some 300 stage instances on."""
    for path in PRESETS.glob("*.yaml"):
        found = values(path.stem)
        shards, rounds = len(found["shards"]), len(found["rounds"])
        instances = shards * (4 + 3 * rounds) + 4 * rounds + 7
        assert found["pipeline"]["record"] == ("controller" if instances > 300 else "job"), path.stem
