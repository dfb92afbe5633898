"""params.yaml as a whole: every section has a model, the file is what the models say, errors are one line."""

import difflib
import os
from pathlib import Path

import default_params
import pytest
import yaml

from auxseg.errors import ParamsError
from auxseg.params.classify import ClassifyParams
from auxseg.params.dag import SECTION_KEYS
from auxseg.params.overrides import defaults
from auxseg.params.presets import read_preset, render_preset
from auxseg.params.registry import SECTIONS, check
from auxseg.params.section import Strict
from auxseg.params.template import render, title_of

ROOT = Path(__file__).resolve().parents[2]


def test_every_section_has_a_model():
    assert tuple(section.key for section in SECTIONS) == SECTION_KEYS


def test_params_yaml_is_the_demo():
    text, fresh = (ROOT / "params.yaml").read_text(), render_preset(ROOT / "params/presets/demo.yaml")
    if title_of(text) != title_of(fresh) and "CI" not in os.environ:
        pytest.skip("another preset is in use in this clone")
    difference = "".join(difflib.unified_diff(text.splitlines(True), fresh.splitlines(True), "params.yaml", "demo"))
    assert text == fresh, f"`auxseg use demo` brings it up to date:\n{difference}"
    assert title_of(text), "a preset says in its first lines what it is for"


def test_no_parameter_has_a_name_that_the_run_cache_does_not_see():
    # DVC leaves every key `size` and `nfiles` out of its hash: another value would bring the old result back
    def keys(values):
        return set(values).union(*(keys(inner) for inner in values.values() if isinstance(inner, dict)))

    found = keys(yaml.safe_load(default_params.TEXT))
    assert found > {"data", "scenes", "side"}
    assert not found & {"size", "nfiles"}


def test_render_keeps_values_and_writes_every_key():
    values = read_preset(ROOT / "params/presets/demo.yaml")
    values["labels"] = {"cam_threshold": 0.31}
    values["data"] = {"classes": {"1st": 3, "yes": 5}}
    values["classify"] = {"optimiser": {"lr": 1e-05}}
    again = yaml.safe_load(render(values))
    assert again["labels"]["cam_threshold"] == 0.31
    assert again["data"]["classes"] == {"1st": 3, "yes": 5}
    assert again["classify"]["optimiser"]["lr"] == 1e-05
    for section in SECTIONS:
        assert set(again[section.key]) == set(section.fields_in_file())
        assert section.parse(again[section.key]) == section.parse(values.get(section.key))
    assert render(again) == render(values)


def test_comments_give_meaning_range_and_choices():
    text = default_params.TEXT
    assert "cam_threshold: 0.2  # A pixel is object if its largest class CAM is above this. [>= 0, <= 1]" in text
    assert "[>= 64, <= 2048, a multiple" in text
    assert "action: warn" in text and "train no further round. [warn | stop]" in text
    assert "compatibility: paper" in text and "# [paper | released]\n" in text
    assert max(map(len, text.splitlines())) <= 110


def test_title_is_the_comment_above_the_first_empty_line():
    assert title_of("# One\n# two\n\nrounds: 1\n") == "One two"
    assert title_of("# about the key\nrounds: 1\n") == ""
    assert title_of("rounds: 1\n") == ""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cam_threshold: 0.2", "cam_treshold: 0.2", "unknown key 'labels.cam_treshold'; did you mean 'cam_threshold'?"),
        ("    scale: one", "    scael: one", "unknown key 'network.cross_task.scael'; did you mean 'scale'?"),
        ("  tau: 1.0", "  tau: 1.0\n  transpose: true", "key 'network.transpose' is a constant, False; delete it"),
        (
            "    scale: one",
            "    scale: one\n    kernel: 3",
            "key 'network.cross_task.kernel' is set by 'compatibility'",
        ),
        ("  saliency_crf: paper", "  saliency_crf: {sxy: 3.0}", "unknown key 'labels.saliency_crf.sxy'; known keys"),
        ("  saliency_crf: paper", "  saliency_crf: none", "key 'labels.saliency_crf': give paper, or a group of"),
        ("compatibility: paper", "compatibility: code", "key 'compatibility': expected paper or released, got 'code'"),
        ("compatibility: paper", "extends: demo", "key 'extends': for presets only; `auxseg use PRESET` writes"),
        ("\nlabels:", "\nlables:", "unknown key 'lables'; did you mean 'labels'?"),
        ("cam_threshold: 0.2", "cam_threshold: 2.0", "key 'labels.cam_threshold': input should be less than or equal"),
        ("cam_threshold: 0.2", "cam_threshold: high", "key 'labels.cam_threshold': input should be a valid number"),
        ("cam_threshold: 0.2", "cam_threshold: .inf", "key 'labels.cam_threshold': input should be a finite number"),
        ("cam_threshold: 0.2", "cam_threshold: 1e-1", "key 'labels.cam_threshold': input should be a valid number (YA"),
        ("jitter: [0.3, 0.3, 0.3, 0.1]", "jitter: [0.3, 0.3, 0.3, 0.6]", "key 'classify.augment': jitter is four"),
        ("batch_size: 4", "batch_size: 4.5", "key 'train.batch_size': input should be a valid integer"),
        ("variant: auxsegnet_plus", "variant: plus", "key 'network.variant': input should be 'auxsegnet' or"),
        ("rounds: {r1: r0, r2: r1}", "rounds: {1: 0, 2: 1}", "key 'rounds': round 1 is not a string"),
        ("rounds: {r1: r0, r2: r1}", "rounds: {r1: r0, r2: r0}", "key 'rounds': expected"),
        ("label_rounds: [r0, r1, r2]", "label_rounds: [r0, r1]", "key 'label_rounds': expected"),
        ('shards: ["00", "01"]', "shards: [0, 1]", "key 'shards': expected strings"),
    ],
)
def test_wrong_values_are_one_line_that_names_the_key(tmp_path, old, new, message):
    text = default_params.TEXT
    assert old in text
    path = tmp_path / "params.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ParamsError) as error:
        check(path)
    assert str(error.value).startswith(f"{path}: {message}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rounds: {r1: r0}\nruntime: {threads: 1\n?\n", " line 3: not YAML (expected ',' or '}', but got '?'); fix"),
        ("rounds:\n\tr1: r0\n", " line 2: not YAML (found character '\\t' that cannot start any token); fix"),
        ("train: {}\nlabels: {}\ntrain: {}\n", " line 3: not YAML (key 'train' is already in line 1); fix"),
        ("train:\n  seed: 1\n  epochs: 2\n  seed: 1\n", " line 4: not YAML (key 'seed' is already in line 2)"),
        ("rounds: {r1: r0, r1: r2}\n", " line 1: not YAML (key 'r1' is already in line 1)"),
        ("train: {seed: 2024-02-30}\n", ": not YAML (day is out of range for month); put that value in quotes"),
        ("train: !!python/object/apply:os.abort []\n", " line 1: not YAML (could not determine a constructor for the"),
    ],
)
def test_yaml_that_cannot_be_read_is_one_line_with_its_number(tmp_path, text, message):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(ParamsError) as error:
        check(path)
    assert str(error.value).startswith(f"{path}{message}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("wrong", [None, 5, [1]])
def test_a_value_where_a_group_is_expected(wrong):
    with pytest.raises(ParamsError, match=r"params\.yaml: key 'classify\.augment': input should be a valid dict"):
        ClassifyParams.parse({"augment": wrong})


def test_another_encoding_is_named(tmp_path):
    (tmp_path / "params.yaml").write_bytes("# é".encode("latin-1"))
    with pytest.raises(ParamsError, match=r"params\.yaml: not a UTF-8 text .*; save it with that encoding"):
        check(tmp_path / "params.yaml")


def test_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(ParamsError, match="no such file; run in the project's root"):
        check(tmp_path / "params.yaml")


def test_a_constant_is_no_key_and_names_its_source():
    def constants(model):
        for name, field in model.model_fields.items():
            if name not in model.fields_in_file():
                yield name, field
            elif isinstance(inner := field.annotation, type) and issubclass(inner, Strict):
                yield from constants(inner)

    found = [(name, field) for section in SECTIONS for name, field in constants(section)]
    assert {"power", "warmup", "transpose", "combine", "flip", "kernel"} <= {name for name, _ in found}
    sources = ("P1", "PSA", "released code", "papers")
    for name, field in found:
        assert any(source in " ".join((field.description or "").split()) for source in sources), name


def test_the_defaults_are_a_whole_file():
    assert yaml.safe_load(render(defaults())) == defaults()
