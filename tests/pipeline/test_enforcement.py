"""What a stage may touch: the sections and paths that dvc.yaml declares for its instance; anything else is rejected."""

import shutil
from pathlib import Path

import default_params
import pytest
import yaml

from auxseg.errors import ParamsError
from auxseg.params.classify import ClassifyParams
from auxseg.params.network import NetworkParams
from auxseg.params.registry import SECTIONS
from auxseg.params.train import TrainParams
from auxseg.pipeline.declaration import Declaration, declared
from auxseg.pipeline.instances import instances
from auxseg.pipeline.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
BODIES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
STAGES = sorted(BODIES.keys() - {"code"})  # whose script only hashes files


VALUES = {**yaml.safe_load(default_params.TEXT), "shards": ["00", "01"]}


@pytest.fixture(scope="module", autouse=True)
def _project(tmp_path_factory):
    """The real dvc.yaml with two shards, alone in a folder."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "dvc.yaml", folder)
    (folder / "params.yaml").write_text(yaml.safe_dump(VALUES))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield


@pytest.fixture(scope="module")
def last() -> dict[str, tuple[Stage, Declaration]]:
    """Each stage's last instance, as its script opens it, and what DVC takes as declared for it."""
    found = {}
    for one in instances(VALUES):
        template = one.template
        stage = Stage(one.stage, template.get("item.round") or template.get("key", ""), template.get("item.shard", ""))
        found[one.stage] = stage, declared(one.stage, template)
    return found


@pytest.fixture(scope="module")
def paths() -> set[str]:
    """All paths of the DAG, names that only begin like them, what would lie inside, and the folders around."""
    declarations = [declared(one.stage, one.template) for one in instances(VALUES)]
    paths = set().union(*(one.inputs | one.outputs for one in declarations))
    around = {str(folder) for path in paths for folder in Path(path).parents}
    return paths | {path + end for path in paths for end in ("x", "/x")} | around


@pytest.mark.parametrize("name", STAGES)
def test_a_section_that_is_not_declared_is_rejected(last, name):
    stage, _ = last[name]
    own = BODIES[name].get("do", BODIES[name]).get("params", [])
    for section in SECTIONS:
        if section.key in own:
            assert isinstance(stage.params(section), section)
            continue
        with pytest.raises(ParamsError) as caught:
            stage.params(section)
        assert str(caught.value) == (
            f"dvc.yaml: stage '{name}' reads '{section.key}' without declaring it; add it to its params"
        )


@pytest.mark.parametrize("section", [NetworkParams, TrainParams, ClassifyParams], ids=lambda section: section.key)
def test_a_section_that_follows_compatibility_needs_it_declared(tmp_path, monkeypatch, section):
    stages = {
        "labels": {"cmd": "", "params": [section.key]},
        "score": {"cmd": "", "params": [section.key, "compatibility"]},
    }
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({**VALUES, "compatibility": "released"}))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParamsError, match="stage 'labels' reads 'compatibility' without declaring it; add it to its"):
        Stage("labels").params(section)
    assert Stage("score").params(section) != section()


@pytest.mark.parametrize("name", STAGES)
def test_shards_are_for_the_stage_that_declares_them(last, name):
    stage, _ = last[name]
    if name == "prepare":
        assert stage.shards == VALUES["shards"]
        return
    with pytest.raises(ParamsError, match=f"dvc.yaml: stage '{name}' reads 'shards' without declaring it"):
        _ = stage.shards


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize(("kind", "key"), [("inputs", "deps"), ("outputs", "outs")])
def test_a_path_that_is_not_declared_is_rejected(last, paths, name, kind, key):
    """Of another stage, round or shard; a folder around a declared path; a name that only begins like one."""
    stage, declaration = last[name]
    own = getattr(declaration, kind)
    rejected = set()
    for path in paths:
        try:
            assert getattr(stage, kind).path(path) == Path(path)
        except ParamsError as error:
            assert str(error) == f"dvc.yaml: stage '{name}' uses '{path}' without declaring it; add it to its {key}"
            rejected.add(path)
    assert rejected == {path for path in paths if not own & {path, *map(str, Path(path).parents)}}


def test_no_path_leads_out_of_a_declared_folder(last):
    with pytest.raises(
        ParamsError, match=r"'labels' uses 'data/manifest/train/\.\./\.\./masks/00\.csv' without declaring it"
    ):
        last["labels"][0].inputs.path("data/manifest/train/../../masks/00.csv")
