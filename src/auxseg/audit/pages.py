"""The pages of the report as HTML text. Ids, class names and file names are data: jinja2 escapes all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from auxseg.audit.strips import Strip, page_name
from auxseg.datasets.manifest import ClassTable
from auxseg.images import PALETTE

WHAT = {
    "labels": "pseudo labels",
    "cam alone (oracle threshold)": "CAM alone, best threshold (oracle)",
    "model": "model",
    "model+ms": "model, multi-scale",
    "model+ms+crf": "model, multi-scale + CRF",
}
"""Words for the kinds of the result table; another kind is shown as it is."""


@dataclass(frozen=True)
class Link:
    """A page of the report: file name and title."""

    file: str
    title: str


@dataclass(frozen=True)
class Colour:
    """One entry of the legend; `style` is a CSS colour."""

    name: str
    style: str


def environment() -> Environment:
    """Return the templates; a variable that is not given is an error."""
    folder = Path(__file__).parent / "templates"
    made = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters["percent"] = lambda text: f"{float(text):.1f}" if text else "-"
    made.filters["share"] = lambda value: f"{100 * value:.1f}"
    return made


def legend(classes: ClassTable) -> list[Colour]:
    """Return the colours of the object classes, in the order of their indices."""
    return [
        Colour(name, "rgb({}, {}, {})".format(*PALETTE[index])) for index, name in enumerate(classes.names, start=1)
    ]


def page_links(rounds: Sequence[str], with_val: bool) -> list[Link]:
    """Return the pages that follow the index: every round's train page, then every trained round's val page."""
    links = [Link(f"{name}.html", _title(name, "train")) for name in rounds]
    if with_val:
        links += [Link(f"{page_name(name, 'val')}.html", _title(name, "val")) for name in rounds[1:]]
    return links


def index_page(links: Sequence[Link], results: Sequence[dict[str, str]], per_class: Sequence[dict[str, str]]) -> str:
    """Return index.html.

    Args:
        links: all pages.
        results: rows of data/summary/rounds.csv; figures in per cent, or empty.
        per_class: rows of data/summary/classes.csv.
    """
    results = [row | {"what": _what(row["what"])} for row in results if row["round"]]
    per_class = [row for row in per_class if row.get("round") and row.get("class")]
    columns = list(dict.fromkeys((row["round"], row["what"]) for row in per_class))
    figures = {(row["class"], row["round"], row["what"]): row["iou"] for row in per_class}
    table = [
        (name, [figures.get((name, *column), "") for column in columns])
        for name in dict.fromkeys(row["class"] for row in per_class)
    ]
    return (
        environment()
        .get_template("index.html")
        .render(links=links, results=results, columns=[(name, _what(what)) for name, what in columns], table=table)
    )


def round_page(
    round_name: str,
    split: str,
    rounds: Sequence[str],
    strips: Sequence[Strip],
    of: int,
    classes: ClassTable,
    links: Sequence[Link],
) -> str:
    """Return the page of one round and split.

    Args:
        rounds: the rounds that have a page of this split, in order.
        strips: the rows.
        of: number of images in the split.
        links: all pages.
    """
    position = list(rounds).index(round_name)
    neighbours = {
        "previous": rounds[position - 1] if position > 0 else None,
        "next": rounds[position + 1] if position + 1 < len(rounds) else None,
    }
    around = {key: Link(f"{page_name(name, split)}.html", name) if name else None for key, name in neighbours.items()}
    colours = legend(classes)
    return (
        environment()
        .get_template("round.html")
        .render(
            title=_title(round_name, split), file=f"{page_name(round_name, split)}.html", around=around,
            strips=strips, of=of, legend=colours, colour={entry.name: entry.style for entry in colours},
            links=links, split=split, first=round_name == "r0",
        )
    )  # fmt: skip


def _title(round_name: str, split: str) -> str:
    if split == "val":
        return f"{round_name}: predictions on val"
    return "r0: initial labels" if round_name == "r0" else f"{round_name}: labels after round {round_name[1:]}"


def _what(kind: str) -> str:
    return WHAT.get(kind, kind)
