"""Measure the report: images per second, memory, size, and how fast a browser opens 10,000 images.

    python benchmarks/audit_scale.py --project FOLDER [--opened]

FOLDER is a finished project. Its report is written twice to a temporary folder, with a quarter and with all of its
images, on one core; then its index is repeated up to 10,000 images and opened in chromium from disk. Writes
benchmarks/audit/scale.csv. With --opened, only the report that is there is opened, and only that row is replaced.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from auxseg.artifacts.tables import read_csv, write_rows
from auxseg.audit.scripts import data_script, read_data_script

RESULTS = Path(__file__).resolve().parent / "audit"
STAGE = Path(__file__).resolve().parents[1] / "workflow/stages/audit.py"
COLUMNS = (
    "what",
    "images",
    "wall_s",
    "cpu_s",
    "images_per_cpu_s",
    "peak_mb",
    "folder_mb",
    "first_picture_s",
    "frame_work_ms",
    "frame_median_ms",
    "frame_95_ms",
)
WANTED = 10_000
FRAMES = 120
"""Steps of the scroll, 400 pixels each."""


def multiply(report: Path, target: Path, count: int) -> Path:
    """Copy a report and repeat its train images up to `count`; return the copy.

    Every repetition has its own ids, chunks and thumbnail sheets (hard links), so a browser reads and decodes as much
    as for `count` different images.
    """
    shutil.copytree(report, target, copy_function=os.link)
    base = read_data_script(target / "index/base.js")
    train = base["records"]["train"]
    size = len(train["id"])
    repeated = {name: _repeat(column, count) for name, column in train.items()}
    for name in ("id", "chunk"):
        repeated[name] = [f"{value}-{n // size:04d}" for n, value in enumerate(repeated[name])]
    for chunk in set(train["chunk"]):
        for path in [target / f"images/{chunk}.js", *(target / "thumbs").glob(f"*/*/{chunk}.jpg")]:
            for copy in range(-(-count // size)):
                os.link(path, path.with_stem(f"{chunk}-{copy:04d}"))
    base["records"]["train"], base["totals"]["train"] = repeated, count
    _write(target, "index/base", base)
    for path in (target / "index").glob("*-train.js"):
        page = read_data_script(path)
        columns = {name: _repeat(column, count) for name, column in page.items() if name != "figures"}
        figures = {name: _repeat(column, count) for name, column in page["figures"].items()}
        _write(target, f"index/{path.stem}", {**columns, "figures": figures})
    return target


def _write(report: Path, name: str, value: dict) -> None:
    path = report / f"{name}.js"
    path.unlink()  # it is a link to the original
    path.write_bytes(data_script(name, value))


def _repeat(column: list, count: int) -> list:
    return (column * -(-count // len(column)))[:count]


def write_stage(project: Path, images: int | None) -> dict:
    """Run the stage on one core in a copy of the project's small files; return images, seconds, memory and size."""
    with tempfile.TemporaryDirectory(dir=project.parent) as folder:
        copy = Path(folder)
        for name in ("dvc.yaml", "params.yaml", "params.local.yaml"):
            if (project / name).exists():
                shutil.copy(project / name, copy)
        text = (copy / "params.yaml").read_text()
        (copy / "params.yaml").write_text(re.sub(r"(?m)^  images: \S+", f"  images: {images or 'null'}", text))
        (copy / "data").mkdir()
        for path in (project / "data").iterdir():
            if path.name != "audit":
                (copy / "data" / path.name).symlink_to(path.resolve())
        command = [sys.executable, str(STAGE)]
        if hasattr(os, "sched_getaffinity"):
            command = ["taskset", "-c", str(max(os.sched_getaffinity(0))), *command]
        started, before = time.perf_counter(), os.times()
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=True)
        wall, after = time.perf_counter() - started, os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        shown, size = re.search(r"audit: (\d+) images, ([\d.]+) MB", done.stderr).groups()
        memory = re.search(r"peak memory (\d+) MB", done.stderr)[1]
        report = project.parent / "audit-report"
        shutil.rmtree(report, ignore_errors=True)
        shutil.move(copy / "data/audit", report)
    return {
        "images": int(shown),
        "wall_s": wall,
        "cpu_s": cpu,
        "images_per_cpu_s": int(shown) / cpu,
        "peak_mb": float(memory),
        "folder_mb": float(size),
    }


def browse(report: Path) -> dict[str, float]:
    """Return seconds until the first thumbnail is decoded, and work and time of a frame while scrolling."""
    from browser import chromium

    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 860})
        page.goto("about:blank")
        started = time.perf_counter()
        page.goto((report / "index.html").as_uri())
        page.wait_for_selector("body[data-ready]")
        page.wait_for_selector(".card .thumb")
        page.evaluate(
            """async () => {
                const picture = new Image();
                picture.src = /"(.*)"/.exec(document.querySelector(".card .thumb").style.backgroundImage)[1];
                await picture.decode();
                await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            }"""
        )
        first = time.perf_counter() - started
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        before = _busy(session)
        frames = page.evaluate(
            """async () => {
                const list = document.getElementById("list");
                const frame = () => new Promise((done) => requestAnimationFrame(done));
                const times = [];
                for (let step = 0, last = performance.now(); step < FRAMES; step++) {
                    list.scrollTop += 400;
                    const now = await frame();
                    times.push(now - last);
                    last = now;
                }
                return times.slice(2).sort((a, b) => a - b);
            }""".replace("FRAMES", str(FRAMES))
        )
        busy = 1000 * (_busy(session) - before) / FRAMES
    return {
        "first_picture_s": first,
        "frame_work_ms": busy,
        "frame_median_ms": frames[len(frames) // 2],
        "frame_95_ms": frames[int(len(frames) * 0.95)],
    }


def _busy(session) -> float:
    """Return the seconds that the page's main thread has worked."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--opened", action="store_true", help="measure the browser alone")
    arguments = parser.parse_args()
    project = arguments.project.resolve()
    if arguments.opened:
        table = [row for row in read_csv(RESULTS / "scale.csv") if row["what"] == "written"]
        report = project / "data/audit"
    else:
        listed = sum(len(path.read_text().splitlines()) - 1 for path in (project / "data/manifest").glob("*/*.csv"))
        table = [{"what": "written", **write_stage(project, images)} for images in (listed // 8, None)]
        report = project.parent / "audit-report"
    many = multiply(report, project.parent / "audit-multiplied", WANTED)
    opened = browse(many)
    size = sum(path.stat().st_size for path in (many / "index").iterdir()) / 1e6
    table.append({"what": "opened", "images": WANTED, "folder_mb": size, **opened})
    write_rows(RESULTS / "scale.csv", [{name: row.get(name) for name in COLUMNS} for row in table])
    for name in ("audit-report", "audit-multiplied"):
        shutil.rmtree(project.parent / name, ignore_errors=True)
    print((RESULTS / "scale.csv").read_text())


if __name__ == "__main__":
    main()
