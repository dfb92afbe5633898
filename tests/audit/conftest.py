"""A real browser for the report: Debian's chromium, driven by playwright, over file://."""

import pytest
from playwright.sync_api import sync_playwright
from report_browser import CHROMIUM, FLAGS, TRAIN, Visit, find_browser
from report_data import make
from report_reader import read_script, write


@pytest.fixture(scope="session")
def chromium():
    path = find_browser(*CHROMIUM)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Open visits with `visit(folder)`; each is checked for errors and foreign requests at the end."""
    visits = []

    def start(folder, **settings):
        visits.append(Visit(chromium, folder, **settings))
        return visits[-1]

    yield start
    for one in visits:
        one.check()


@pytest.fixture(scope="session")
def multiplied(load_script):
    """The benchmark's way to a report of many images: `multiplied(report, target, count)`."""
    return load_script("benchmarks/audit_scale.py").multiply


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    """A report of three rounds with `TRAIN` train images, and the artifacts it was made from."""
    folder = tmp_path_factory.mktemp("browser")
    make(folder, train=TRAIN, val=6)
    write(folder)
    return folder


@pytest.fixture(scope="session")
def index(work):
    """Records and figure columns of r2's train images."""
    base = read_script(work / "audit/index/base.js")
    return base["records"]["train"] | read_script(work / "audit/index/r2-train.js")


@pytest.fixture
def seen(visit, work):
    """A visit to that report."""
    return visit(work / "audit")
