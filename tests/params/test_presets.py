"""What the presets promise: only what differs, one command, the published figure and its source."""

from pathlib import Path

import pytest
import yaml

from auxseg.cli.main import main
from auxseg.errors import ParamsError
from auxseg.params.overrides import defaults
from auxseg.params.presets import DEFAULTS, read_preset, render_preset
from auxseg.params.registry import SECTIONS, check
from auxseg.params.template import render, title_of
from auxseg.params.train import TrainParams

PRESETS = Path(__file__).resolve().parents[2] / "params/presets"
FILES = sorted(PRESETS.glob("*.yaml"))
PAPERS = ("voc-auxsegnet", "voc-auxsegnet-plus", "coco-auxsegnet-plus", "c1")


def values(name):
    return read_preset(PRESETS / f"{name}.yaml")


def title(name):
    return title_of((PRESETS / f"{name}.yaml").read_text())


def test_names():
    assert {path.stem for path in PRESETS.glob("*.yaml")} >= {*PAPERS, "own-data", "smoke", "demo", "voc6"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
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
        ("auxseg-best", ("No published figure",)),
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
    assert (optimiser["lr"], TrainParams.of(found).optimiser.power) == (0.001, 0.9)
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
    assert own["runtime"]["precision"] == "auto"


def test_the_papers_presets_count_epochs_and_keep_refined_cams_as_they_are():
    for name in ("voc-auxsegnet", "voc-auxsegnet-plus", "c1", "coco-auxsegnet-plus"):
        found = values(name)
        assert found["classify"]["steps"] is None and found["train"]["steps"] is None
        assert (found["propagate"]["scales"], found["propagate"]["flip"]) == ([1.0], False)
        assert (found["propagate"]["initial_share"], found["propagate"]["prediction_share"]) == (0, 0)
        assert found["network"]["decoder"] is None


def test_many_instances_are_recorded_by_the_controller():
    """docs/scale.md: from some 300 stage instances on."""
    for path in PRESETS.glob("*.yaml"):
        found = values(path.stem)
        shards, rounds = len(found["shards"]), len(found["rounds"])
        instances = shards * (4 + 3 * rounds) + 4 * rounds + 8
        assert found["pipeline"]["record"] == ("controller" if instances > 300 else "job"), path.stem


def leaves(values, prefix=()):
    """Return the values of nested maps by their paths; a map of classes or rounds is one value, and so is a CRF."""
    found = {}
    for key, value in values.items():
        nested = isinstance(value, dict) and key not in ("classes", "rounds", "crf", "saliency_crf")
        found |= leaves(value, (*prefix, key)) if nested else {(*prefix, key): value}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_preset_holds_what_differs_and_nothing_else(path):
    given = yaml.safe_load(path.read_text())
    parent = given.pop("extends")
    before = leaves(defaults() if parent == DEFAULTS else values(parent))
    after = leaves(values(path.stem))
    follow = {("label_rounds",)} if "rounds" in given else set()
    assert set(leaves(given)) | follow == {key for key in after if after[key] != before[key]}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_use_writes_is_whole_and_has_every_comment(path, tmp_path):
    text = render_preset(path)
    (tmp_path / "params.yaml").write_text(text)
    found = check(tmp_path / "params.yaml")
    assert found == values(path.stem)
    assert all(set(found[section.key]) == set(section.fields_in_file()) for section in SECTIONS)
    assert title_of(text) == title(path.stem) and render(found, title_of(text)) == text


@pytest.fixture
def write(tmp_path):
    """Write presets into a folder of their own; return the first."""

    def write_all(**presets):
        paths = [tmp_path / f"{name}.yaml" for name in presets]
        for one, text in zip(paths, presets.values(), strict=True):
            one.write_text(text)
        return paths[0]

    return write_all


def test_groups_are_merged_and_anything_else_is_replaced(write):
    found = read_preset(
        write(
            mine="extends: base\nrounds: 3\ndata: {classes: {dog: 2}}\ntrain: {optimiser: {lr: 0.2}, epochs: 7}\n",
            base="extends: defaults\nshards: 3\ndata: {classes: {cat: 1}}\n"
            "train: {optimiser: {new_layers: 5.0, lr: 1.0}}\n",
        )
    )
    assert (found["rounds"], found["label_rounds"]) == ({"r1": "r0", "r2": "r1", "r3": "r2"}, ["r0", "r1", "r2", "r3"])
    assert found["shards"] == ["00", "01", "02"]
    assert found["data"]["classes"] == {"dog": 2}
    optimiser = found["train"]["optimiser"]
    assert (optimiser["lr"], optimiser["new_layers"], found["train"]["epochs"]) == (0.2, 5.0, 7)


def test_a_crf_is_the_papers_or_your_own(write):
    found = read_preset(write(mine="extends: defaults\nlabels: {saliency_crf: {iterations: 3, bilateral_srgb: 7.0}}\n"))
    assert found["evaluate"]["crf"] == "paper"
    assert found["labels"]["saliency_crf"] == {
        "iterations": 3,
        "gaussian_sxy": 3.0,
        "gaussian_compat": 3.0,
        "bilateral_sxy": 60.0,
        "bilateral_srgb": 7.0,
        "bilateral_compat": 5.0,
    }
    assert "    iterations: 3  # Mean-field steps" in render(found)


def test_a_file_without_extends_is_whole(write):
    text = f"# Mine.\n\n{render(values('smoke'))}# a comment of mine\n"
    path = write(mine=text)
    assert read_preset(path) == values("smoke")
    assert render_preset(path) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extends: defaults\nnetwrok: {tau: 4.0}", "unknown key 'netwrok'; did you mean 'network'?"),
        ("extends: defaults\nnetwork: {tua: 4.0}", "unknown key 'network.tua'; did you mean 'tau'?"),
        (
            "extends: defaults\nnetwork: {tau: -4.0}",
            "key 'network.tau': input should be greater than or equal",
        ),
        ("extends: defaults\nnetwork: 4", "key 'network': input should be a valid dictionary"),
        ("extends: default", "key 'extends': no preset 'default'; did you mean 'defaults'?"),
        ("extends: mine", "key 'extends': the preset extends itself (mine -> mine); name another preset or `defaults`"),
        ("extends: defaults\nrounds: {r1: r0}", "key 'rounds': expected a number of rounds, got {'r1': 'r0'}"),
        ("extends: defaults\nshards: 0", "key 'shards': expected a number of shards, got 0"),
        ("extends: defaults\nlabel_rounds: [r0, r1]", "key 'label_rounds': follows 'rounds'; delete it"),
        ("extends: defaults\ncompatibility: released code", "key 'compatibility': expected paper or released, got"),
        ("extends: defaults\nevaluate: {crf: papers}", "key 'evaluate.crf': give paper, or a group of iterations,"),
        ("extends: defaults\nevaluate: {crf: {iteration: 1}}", "unknown key 'evaluate.crf.iteration'; did you mean"),
        ("rounds: {r1: r0}", "key 'label_rounds': expected"),
    ],
)
def test_a_wrong_preset_is_one_line_that_names_the_key(write, text, message):
    path = write(mine=text)
    with pytest.raises(ParamsError) as error:
        read_preset(path)
    assert str(error.value).startswith(f"{path}: {message}")
    assert "\n" not in str(error.value)
