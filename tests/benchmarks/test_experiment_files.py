"""Every named experiment is a valid params.yaml, and says what it is meant to say."""

from pathlib import Path

import experiment_files
import pytest
from experiment_files import build, read_table

from auxseg.errors import ParamsError
from auxseg.params.presets import read_preset
from auxseg.params.registry import check

ROOT = Path(__file__).resolve().parents[2]
TABLES = sorted(path.stem for path in (ROOT / "experiments").glob("*.yaml"))
BASES = sorted(path.stem for path in (ROOT / "experiments/bases").glob("*.yaml"))


def differences(one: dict, other: dict, prefix: str = "") -> dict[str, tuple]:
    """Return the keys, with dots, in which two parameter files differ."""
    found = {}
    for key in one.keys() | other.keys():
        left, right, name = one.get(key), other.get(key), f"{prefix}{key}"
        if key not in ("rounds", "label_rounds") and isinstance(left, dict) and isinstance(right, dict):
            found |= differences(left, right, f"{name}.")
        elif left != right:
            found[name] = (left, right)
    return found


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("base", BASES)
def test_every_experiment_is_valid(table, base):
    for row in read_table(table, ROOT).rows:
        assert build(table, row, base, 3, ROOT).values["train"]["seed"] == 3


@pytest.mark.parametrize("base", BASES)
def test_an_experiment_is_a_whole_parameter_file(base, tmp_path):
    experiment, path = build("table4", "none", base, 3, ROOT), tmp_path / "params.yaml"
    path.write_text(experiment.text)
    values = check(path)
    assert set(values) == set(experiment.values)
    assert experiment._replace(values=values).digest == experiment.digest


def test_rows_of_a_table_differ_in_what_the_table_is_about():
    allowed = {
        "ladder": {
            "cam.scales",
            "labels.cam_threshold",
            "labels.background_threshold",
            "network.decoder",
            "propagate.scales",
            "propagate.flip",
            "propagate.prediction_share",
            "train.epochs",
        },
        "table3": {"train.loss.classification", "train.loss.saliency"},
        "table4": {"network.affinity"},
        "table5": set(),
        "table6": {"saliency.provider", "saliency.path"},
        "p2-affinity": {"network.variant", "network.affinity", "network.features_with", "network.refine_with"},
        "p2-rounds": {"network.refine_with", "saliency.provider"},
        "p2-settings": {
            "network.variant",
            "network.whiten",
            "network.tau",
            "network.scale_dim",
            "network.features_with",
            "network.refine_with",
            "network.affinity",
            "network.cross_task.scale",
            "network.cross_task.renormalise",
            "propagate.renormalise_cam",
        },
    }
    assert set(allowed) == set(TABLES)
    for table, keys in allowed.items():
        rows = [build(table, row, "scenes", 0, ROOT).values for row in read_table(table, ROOT).rows]
        assert {key for row in rows for key in differences(rows[0], row)} == keys, table
        digests = {build(table, row, "scenes", 0, ROOT).digest for row in read_table(table, ROOT).rows}
        assert len(digests) == len(rows), f"{table}: two rows are the same experiment"


def test_one_experiment_against_its_preset():
    preset = read_preset(ROOT / "params/presets/voc6.yaml")
    preset["train"]["epochs"], preset["network"]["variant"] = 0, ""
    found = differences(preset, build("table4", "segmentation", "voc6", 5, ROOT).values)
    assert {key: value for key, (_, value) in found.items()} == {
        "rounds": {"r1": "r0"},
        "label_rounds": ["r0", "r1"],
        "runtime.threads": 1,
        "runtime.precision": "bfloat16",
        "network.variant": "auxsegnet",
        "network.affinity": "segmentation",
        "train.epochs": 2,
        "train.seed": 5,
        "classify.seed": 5,
        "evaluate.scales": [1.0],
        "evaluate.flip": False,
    }


def test_a_seed_of_the_scenes_is_another_data_set():
    first, second = (build("table4", "none", "scenes", seed, ROOT).values for seed in (0, 1))
    assert set(differences(first, second)) == {"data.scenes.seed", "classify.seed", "train.seed"}


def test_experiments_that_two_tables_share():
    def digest(name: str, base: str = "scenes") -> str:
        return build(*name.split("/"), base, 0, ROOT).digest

    assert digest("table3/all") == digest("table4/none")
    assert digest("table4/cross-task") == digest("p2-affinity/auxsegnet") == digest("p2-settings/auxsegnet")
    assert digest("p2-affinity/both") == digest("p2-settings/predictions-sum")
    assert digest("table4/cross-task") != digest("table5/rounds")  # five rounds
    assert digest("table4/none") != digest("table4/none", "voc6")


def test_the_digest_ignores_the_report_and_follows_everything_else():
    experiment = build("table4", "none", "scenes", 0, ROOT)

    def digest(**sections) -> str:
        values = {**experiment.values, **{key: {**experiment.values[key], **new} for key, new in sections.items()}}
        return experiment._replace(values=values).digest

    assert digest(audit={"images": 3}) == experiment.digest
    assert digest(labels={"cam_threshold": 0.25}) != experiment.digest
    assert len(experiment.digest) == 12


def test_settings_of_auxsegnet_plus_count_in_its_digest_alone():
    def digest(variant: str, **settings) -> str:
        experiment = build("table4", "cross-task", "scenes", 0, ROOT)
        network = {**experiment.values["network"], "variant": variant, **settings}
        return experiment._replace(values={**experiment.values, "network": network}).digest

    for key, value in {"whiten": False, "tau": 4.0, "features_with": "pairwise", "refine_with": "mean"}.items():
        assert digest("auxsegnet", **{key: value}) == digest("auxsegnet")
        assert digest("auxsegnet_plus", **{key: value}) != digest("auxsegnet_plus")
    assert digest("auxsegnet", scale_dim=True) != digest("auxsegnet")


@pytest.mark.parametrize(
    ("table", "row", "base", "message"),
    [
        ("tabel4", "none", "scenes", "no 'tabel4' there; did you mean 'table4'?"),
        ("table4", "nome", "scenes", "no row 'nome'; did you mean 'none'?"),
        ("table4", "none", "scene", "no 'scene' there; did you mean 'scenes'?"),
    ],
)
def test_a_wrong_name_suggests_the_nearest(table, row, base, message):
    with pytest.raises(ParamsError) as error:
        build(table, row, base, 0, ROOT)
    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: t\nrows: {a: {title: a, overrides: {network: {affinty: none}}}}", "unknown key 'network.affinty'"),
        ("title: t\nrows: {a: {title: a, overrides: {network: {affinity: all}}}}", "key 'network.affinity'"),
        (
            "title: t\nrows: {a: {title: a, overrides: {netwrok: {tau: 4}}}}",
            "unknown key 'netwrok'; did you mean 'network'?",
        ),
        ("title: t\nrows: {a: {title: a, overrides: {rounds: {r7: r0}}}}", "key 'rounds': expected a number of rounds"),
        ("title: t\nrows: {a: {titel: a}}", "key 'rows.a.title' is missing; add it (and 1 more)"),
        ("title: t\nrows: {a: {title: a, overides: {}}}", "unknown key 'rows.a.overides'; did you mean 'overrides'?"),
        ("titel: t\ntitle: t\nrows: {a: {title: a}}", "unknown key 'titel'; did you mean 'title'?"),
        ("title: t\nfigure: Model\nrows: {a: {title: a}}", "key 'figure': input should be 'labels', 'model' or"),
        ("title: t\nrows: {}", "key 'rows': dictionary should have at least 1 item"),
        ("title: t\nrows: {", "not YAML"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path, text, message):
    (tmp_path / "experiments/bases").mkdir(parents=True)
    (tmp_path / "params/presets").mkdir(parents=True)
    (tmp_path / "params/presets/demo.yaml").write_bytes((ROOT / "params/presets/demo.yaml").read_bytes())
    (tmp_path / "experiments/bases/b.yaml").write_text("title: b\nextends: demo\n")
    (tmp_path / "experiments/t.yaml").write_text(text)
    with pytest.raises(ParamsError) as error:
        build("t", "a", "b", 0, tmp_path)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_sections_without_influence_are_sections():
    assert set(experiment_files.NO_RESULT) <= {section.key for section in experiment_files.SECTIONS}
