"""The collector against tables made by hand."""

import pytest
from experiment_files import Base, Experiment, Table
from tables_results import COLUMNS, keep, kept, markdown, read_results, update_page

from auxseg.artifacts.tables import write_rows

SCENES = Base(title="scenes", extends="demo")
TABLE = Table(
    title="Affinity (a paper, Table 9)",
    rounds=1,
    rows={
        "none": {"title": "no affinity", "published": [60.8]},
        "some": {"title": "affinity", "published": [64.1], "labels": False},
        "late": {"title": "not run yet"},
        "given": {"title": "maps given", "needs": "saliency"},
    },
)


def result(experiment: str, seed: int, what: str, miou: float | str, round_name: str = "r1", **values) -> dict:
    figures = {"experiment": experiment, "base": "scenes", "seed": str(seed), "round": round_name, "what": what}
    others = {"set": "val", "precision": "50", "recall": "50", "params": "abc", "commit": "123", "minutes": "1.0"}
    return {**others, **figures, "miou": str(miou), **values}


RESULTS = [
    result("table9/none", 0, "labels", 60.0, "r0"),  # the round before: not shown
    result("table9/none", 0, "labels", 61.0),
    result("table9/none", 0, "model", 50.0),
    result("table9/none", 1, "model", 54.0),
    result("table9/none", 1, "model+ms+crf", 70.0),
    result("table9/some", 0, "labels", 20.0),
    result("table9/some", 0, "model", 53.0),
    result("table9/some", 1, "model", 55.0),
    result("table9/some", 2, "model", 99.0),  # a seed that the first line has not: no part of the gain
    result("table9/none", 0, "model", 10.0, base="voc6"),
]


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]


def test_mean_spread_and_gain_over_the_seeds():
    """none: 50, 54: mean 52, deviation 2.83; some: 53, 55, 99; gains 3 and 1: mean 2, deviation 1.41."""
    head, _, none, some, late, given = cells(markdown("table9", TABLE, "scenes", SCENES, RESULTS))
    assert head == [
        "Affinity",
        "labels (train)",
        "gain",
        "model (val)",
        "gain",
        "model, post-processed (val)",
        "seeds",
        "published",
    ]
    assert none == ["no affinity", "61.0", "", "52.0 (2.8)", "", "70.0", "2", "60.8"]
    assert some == ["affinity", "-", "-", "69.0 (26.0)", "+2.0 (1.4)", "-", "3", "64.1"]
    assert late == ["not run yet", "-", "-", "-", "-", "-", "not run", "-"]
    assert given[-2:] == ["needs `saliency/` in a data root", "-"]


def test_gains_are_of_what_the_paper_reports():
    table = Table(title="Saliency", figure="model+ms+crf", rows={"a": {"title": "a"}, "b": {"title": "b"}})
    results = [result("table9/a", 0, "model+ms+crf", 60.0), result("table9/b", 0, "model+ms+crf", 58.5)]
    head, _, a, b = cells(markdown("table9", table, "scenes", SCENES, results))
    assert head[3:6] == ["model (val)", "model, post-processed (val)", "gain"]
    assert (a[4:6], b[4:6]) == (["60.0", ""], ["58.5", "-1.5"])


def test_rounds_as_lines():
    table = Table(
        title="Rounds", rounds=5, each_round=True, rows={"rounds": {"title": "all", "published": [64.1, 65.6]}}
    )
    results = [result("table5/rounds", seed, "model", 50 + 2 * n + seed, f"r{n}") for seed in (0, 1) for n in (1, 2, 3)]
    lines = cells(markdown("table5", table, "scenes", SCENES, results))[2:]
    assert [line[0] for line in lines] == ["round 1", "round 2", "round 3"]
    assert [line[3] for line in lines] == ["52.5 (0.7)", "54.5 (0.7)", "56.5 (0.7)"]
    assert [line[4] for line in lines] == ["", "+2.0 (0.0)", "+4.0 (0.0)"]
    assert [line[-1] for line in lines] == ["64.1", "65.6", "-"]


def test_figures_of_a_selection_split_are_called_so():
    aside = Base(title="aside", extends="voc6", hold_out=200)
    head = cells(markdown("table9", TABLE, "scenes", aside, RESULTS))[0]
    assert [name for name in head if "split" in name] == [
        f"{what} (selection split)" for what in ("labels", "model", "model, post-processed")
    ]


def test_a_page_is_renewed_between_its_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A\n\n<!-- table table9 scenes -->\nold\n<!-- end -->\n\nkept\n")
    update_page(page, {"table9": TABLE}, {"scenes": SCENES}, RESULTS)
    first = page.read_text()
    assert first.startswith("# A\n\n<!-- table table9 scenes -->\n\n| Affinity |")
    assert first.endswith("in a data root | - |\n\nMade at 123.\n\n<!-- end -->\n\nkept\n")
    update_page(page, {"table9": TABLE}, {"scenes": SCENES}, RESULTS)
    assert page.read_text() == first


@pytest.fixture
def experiment():
    return Experiment(
        "table4", "none", "scenes", 0, {"rounds": {"r1": "r0"}, "label_rounds": ["r0", "r1"], "shards": ["00"]}
    )


def test_new_figures_take_the_place_of_old_ones(tmp_path, experiment):
    path = tmp_path / "tables.csv"
    other = result("table4/none", 1, "model", 40.0)
    write_rows(path, [result("table4/none", 0, "model", 30.0), other], COLUMNS)
    assert kept(read_results(path), experiment) == []  # of other parameters
    figures = [{key: value for key, value in result("", 0, "model", 35.5).items() if key in COLUMNS[3:]}]
    keep(path, experiment, figures)
    assert [(row["seed"], row["miou"]) for row in read_results(path)] == [("0", "35.5"), ("1", "40.0")]
    assert [row["miou"] for row in kept(read_results(path), experiment)] == ["35.5"]
    twin = experiment._replace(table="table3", row="all")
    assert [row["experiment"] for row in kept(read_results(path), twin)] == ["table4/none"]
    assert kept(read_results(path), experiment._replace(seed=3)) == []
    assert kept(read_results(path), experiment._replace(base="voc6")) == []
