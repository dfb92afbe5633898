"""Draw dvc.yaml as docs/images/dag.svg: one box per stage, from left to right.

    python benchmarks/dag_figure.py [--to docs/images/dag.svg]        needs matplotlib (the extra `dev`)

An arrow means that a stage reads what another one writes; arrows that follow from others are left out. Stages have the
order of dvc.yaml, so an arrow back to an earlier stage is the step to the next round. Stages that read masks, and all
that depend on them, are in a separate band.
"""

import argparse
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import yaml
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

BOX_WIDTH, BOX_HEIGHT, STEP_X, STEP_Y = 1.16, 0.62, 1.5, 1.0
BELOW = -0.95
"""The y of a second stage that moves aside; the band of masks begins further to the right."""
GPU, CPU, BAND, INK, LINE = "#cfe3f7", "#eeeeea", "#fdf1d8", "#1b1b1b", "#4a4f55"
CODE, MASKS = "code", "data/masks"


@dataclass(frozen=True)
class Graph:
    """Stage-level graph: `forward` edges are reduced, `back` edges lead to the next round."""

    stages: dict[str, dict[str, Any]]
    forward: set[tuple[str, str]]
    back: set[tuple[str, str]]
    masked: set[str]
    """Stages that read masks, and all that follows from them."""


def read_graph(text: str) -> Graph:
    """Return the graph of a dvc.yaml; the stage `code`, on which all depend, is left out."""
    bodies = {name: body.get("do", {}) | body for name, body in yaml.safe_load(text)["stages"].items()}
    bodies = {name: body for name, body in bodies.items() if name != CODE}
    order = list(bodies)
    edges = {
        (writer, reader)
        for reader in order
        for dep in _paths(bodies[reader], "deps")
        for writer in _writers(dep, bodies)
    }
    forward = {(writer, reader) for writer, reader in edges if order.index(writer) < order.index(reader)}
    masked = {name for name in order if any(_meet(MASKS, dep) for dep in _paths(bodies[name], "deps"))}
    masked |= {reader for writer in masked for reader in _reachable(writer, forward)}
    back = edges - forward
    # a stage needs no arrow back to what is reached through another arrow back, of a stage after it or its own
    back = {
        (writer, reader)
        for writer, reader in back
        if writer == reader or not _returns(_reachable(writer, forward), reader, back, forward)
    }
    back = {(writer, reader) for writer, reader in back if not _returns({writer}, reader, back, forward)}
    return Graph(bodies, _reduce(forward), back, masked)


def positions(graph: Graph) -> dict[str, tuple[float, float]]:
    """Return the centre of every box: columns by the longest path from the start, with the masks' band below."""
    columns: dict[str, int] = {}
    for name in graph.stages:  # the file's order is a topological one
        before = [writer for writer, reader in graph.forward if reader == name]
        # arrows into the band go straight down
        columns[name] = max(
            (columns[writer] + ((writer in graph.masked) == (name in graph.masked)) for writer in before), default=0
        )
    found = {}
    for name, column in columns.items():
        # a stage that is read only further on moves aside for the boxes in between
        far = all(columns[reader] > column + 1 for writer, reader in graph.forward if writer == name)
        far = far and any(writer == name for writer, _ in graph.forward)
        row = (-1.75 - far * STEP_Y) if name in graph.masked else far * STEP_Y
        if row > 0 and any(y == row and x + STEP_X >= column * STEP_X for x, y in found.values()):
            row = BELOW  # an arrow of the stage before it passes there
        found[name] = (column * STEP_X, row)
    return found


def draw(graph: Graph) -> plt.Figure:
    """Return the picture."""
    at = positions(graph)
    right = max(x for x, _ in at.values()) + 0.95
    top = max(y for _, y in at.values())
    figure, axes = plt.subplots(figsize=(right + 0.85, top + 3.95))
    axes.set(xlim=(-0.85, right), ylim=(-3.5, top + 0.45), aspect="equal")
    axes.axis("off")
    left = min(at[name][0] for name in graph.masked) - 0.85
    axes.add_patch(
        FancyBboxPatch(
            (left, -3.4),
            right - left - 0.1,
            2.4,
            boxstyle="round,pad=0,rounding_size=0.1",
            facecolor=BAND,
            edgecolor="#b98a2c",
            linestyle="--",
        )
    )
    axes.text(
        right - 0.25,
        -3.22,
        "measuring: only here are masks read",
        fontsize=9.5,
        color="#5e4306",
        va="center",
        ha="right",
    )
    for writer, reader in sorted(graph.forward):
        _arrow(axes, at[writer], at[reader])
    for writer, reader in sorted(graph.back):
        if writer != reader:
            _loop(axes, at[writer], at[reader])
    start = at[next(iter(graph.stages))]
    axes.annotate(
        "",
        (left, -2.2),
        (start[0], start[1] - BOX_HEIGHT / 2),
        arrowprops={
            "arrowstyle": "-|>",
            "color": "#b98a2c",
            "linestyle": "--",
            "connectionstyle": "angle,angleA=90,angleB=0,rad=8",
            "shrinkA": 0,
            "shrinkB": 0,
        },
    )
    axes.text(start[0] + 0.15, -2.08, "masks, where there are any", fontsize=9.5, color="#5e4306")
    for name, (x, y) in at.items():
        _box(axes, x, y, name, _times(graph.stages[name]), "gpu" in graph.stages[name].get("meta", {}))
    for x, colour, text in ((-0.55, GPU, "GPU if there is one"), (1.75, CPU, "CPU")):
        axes.add_patch(
            FancyBboxPatch(
                (x, -2.88),
                0.24,
                0.16,
                boxstyle="round,pad=0,rounding_size=0.04",
                facecolor=colour,
                edgecolor=LINE,
                linewidth=0.8,
            )
        )
        axes.text(x + 0.34, -2.8, text, fontsize=9.5, va="center", color=INK)
    axes.text(
        -0.55,
        -3.2,
        "Every stage also depends on the fingerprint of its own code (stage code).",
        fontsize=9.5,
        va="center",
        color=INK,
    )
    figure.subplots_adjust(0, 0, 1, 1)
    return figure


def _times(body: dict[str, Any]) -> str:
    axes = list(body["matrix"]) if "matrix" in body else ["round"] if "foreach" in body else []
    return "each " + ", ".join(axes) if axes else "once"


def _box(axes: plt.Axes, x: float, y: float, name: str, times: str, gpu: bool) -> None:
    corner = (x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2)
    axes.add_patch(
        FancyBboxPatch(
            corner,
            BOX_WIDTH,
            BOX_HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=GPU if gpu else CPU,
            edgecolor=LINE,
        )
    )
    axes.text(x, y + 0.1, name, ha="center", va="center", fontsize=12, fontweight="bold", color=INK)
    axes.text(x, y - 0.15, times, ha="center", va="center", fontsize=8.5, color=LINE)


def _arrow(axes: plt.Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    (x0, y0), (x1, y1) = start, end
    if x0 == x1:
        side = 1 if y1 > y0 else -1
        tail, head, style = (x0, y0 + side * BOX_HEIGHT / 2), (x1, y1 - side * BOX_HEIGHT / 2), "arc3"
    elif y0 == y1:
        tail, head, style = (x0 + BOX_WIDTH / 2, y0), (x1 - BOX_WIDTH / 2, y1), "arc3"
    elif y1 > y0 and y0 < 0:  # within the band: to the right, then up
        tail, head, style = (x0 + BOX_WIDTH / 2, y0), (x1, y1 - BOX_HEIGHT / 2), "angle,angleA=0,angleB=90,rad=8"
    elif y1 == BELOW:  # down, then to the right
        tail, head, style = (x0, y0 - BOX_HEIGHT / 2), (x1 - BOX_WIDTH / 2, y1), "angle,angleA=90,angleB=0,rad=8"
    elif y1 > y0:  # up, then to the right
        tail, head, style = (x0, y0 + BOX_HEIGHT / 2), (x1 - BOX_WIDTH / 2, y1), "angle,angleA=90,angleB=0,rad=8"
    else:  # to the right, then down
        tail, head, style = (x0 + BOX_WIDTH / 2, y0), (x1, y1 + BOX_HEIGHT / 2), "angle,angleA=0,angleB=90,rad=8"
    axes.add_patch(
        FancyArrowPatch(
            tail, head, connectionstyle=style, arrowstyle="-|>", mutation_scale=12, color=LINE, shrinkA=0, shrinkB=0
        )
    )


def _loop(axes: plt.Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    colour, height = "#0b4fa8", start[1] + BOX_HEIGHT / 2 + 0.42
    (x0, y0), (x1, y1) = start, (end[0] + BOX_WIDTH / 4, end[1])
    axes.plot([x0, x0, x1], [y0 + BOX_HEIGHT / 2, height, height], color=colour)
    axes.add_patch(
        FancyArrowPatch(
            (x1, height),
            (x1, y1 + BOX_HEIGHT / 2),
            arrowstyle="-|>",
            mutation_scale=12,
            color=colour,
            shrinkA=0,
            shrinkB=0,
        )
    )
    axes.text(
        (x0 + x1) / 2, height + 0.08, "new labels, next round", ha="center", va="bottom", fontsize=9.5, color=colour
    )


def _paths(body: dict[str, Any], key: str) -> list[str]:
    entries = [next(iter(entry)) if isinstance(entry, dict) else entry for entry in body.get(key, [])]
    return [re.sub(r"\$\{[^}]*\}", "*", entry) for entry in entries]


def _outputs(body: dict[str, Any]) -> list[str]:
    return [path for key in ("outs", "metrics", "plots") for path in _paths(body, key)]


def _writers(dep: str, bodies: dict[str, dict[str, Any]]) -> list[str]:
    """Return the stages that write a path: the one that names it, else those whose patterns match it."""
    exact = [name for name, body in bodies.items() if dep in _outputs(body) and "*" not in dep]
    return exact or [name for name, body in bodies.items() if any(_meet(out, dep) for out in _outputs(body))]


def _meet(one: str, other: str) -> bool:
    """Tell whether two patterns name the same file, or one names a folder that contains the other."""
    return all(fnmatchcase(a, b) or fnmatchcase(b, a) for a, b in zip(one.split("/"), other.split("/"), strict=False))


def _reachable(start: str, edges: set[tuple[str, str]]) -> set[str]:
    nexts = {reader for writer, reader in edges if writer == start}
    return nexts | {name for reader in nexts for name in _reachable(reader, edges)}


def _returns(starts: set[str], reader: str, back: set[tuple[str, str]], forward: set[tuple[str, str]]) -> bool:
    """Return whether an arrow back from one of `starts` leads to a stage before `reader`."""
    return any(reader in _reachable(other, forward) for start, other in back if start in starts)


def _reduce(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Leave out an edge if a longer path leads to the same stage."""
    return {edge for edge in edges if edge[1] not in _reachable(edge[0], edges - {edge})}


def main() -> None:
    """Draw the DAG of the project in the current folder."""
    parser = argparse.ArgumentParser(description="Draw dvc.yaml.")
    parser.add_argument("--to", type=Path, default=Path("docs/images/dag.svg"), help=".svg or .png")
    arguments = parser.parse_args()
    figure = draw(read_graph(Path("dvc.yaml").read_text()))
    arguments.to.parent.mkdir(parents=True, exist_ok=True)
    plt.rcParams["svg.hashsalt"] = "auxseg"  # the same bytes from every run
    metadata = {"Date": None} if arguments.to.suffix == ".svg" else None
    figure.savefig(arguments.to, dpi=110, metadata=metadata, facecolor="white")


if __name__ == "__main__":
    main()
