"""The picture of the DAG says what dvc.yaml says."""

from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="matplotlib comes with the extra `dev`")

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def figure(load_script):
    return load_script("benchmarks/dag_figure.py")


def test_graph_of_the_project(figure):
    graph = figure.read_graph((PROJECT / "dvc.yaml").read_text())
    assert graph.masked == {"score", "evaluate", "summary", "audit"}
    assert graph.back == {("propagate", "labels"), ("train", "train"), ("guard", "guard")}
    assert {("prepare", "classify"), ("classify", "cam"), ("cam", "labels"), ("review", "train")} <= graph.forward
    assert not {("prepare", "audit"), ("train", "cam"), ("classify", "train")} & graph.forward
    assert all(reader in graph.masked for writer, reader in graph.forward if writer in graph.masked)


def test_boxes_do_not_overlap_and_arrows_lead_to_the_right(figure):
    graph = figure.read_graph((PROJECT / "dvc.yaml").read_text())
    at = figure.positions(graph)
    assert len(set(at.values())) == len(graph.stages)
    assert all(at[writer][0] <= at[reader][0] for writer, reader in graph.forward)
