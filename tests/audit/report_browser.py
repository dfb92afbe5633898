"""A real browser for the report: found or asked for, and a visit that hears every request and complaint."""

import csv
import io
import os
import shutil

import pytest

from auxseg.review.verdicts import COLUMNS

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
TRAIN = 40
"""Train images of the report that the browser tests visit."""
IMPORT = "(text) => void auxseg.verdicts.importCsv(text)"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def find_browser(*names: str) -> str:
    """Return a browser's path; skip the test without one, but fail where CI promises it (tests/audit/browser.sh)."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail(f"no {names[0]} on the path; run tests/audit/browser.sh {names[0]}")
    if found is None:
        pytest.skip(
            f"no {names[0]} on the path: the report is not tried in a browser (tests/audit/browser.sh {names[0]})"
        )
    return found


class Visit:
    """A page of a report, with everything it asked for and complained about."""

    def __init__(self, browser, folder, **settings):
        self.folder = folder
        self.context = browser.new_context(viewport={"width": 1400, "height": 860}, accept_downloads=True, **settings)
        self.page = self.context.new_page()
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, view="", name="index.html"):
        self.page.goto("about:blank")  # so that another hash reloads the page
        self.page.goto(f"{(self.folder / name).as_uri()}{'#' + view if view else ''}")
        if name == "index.html":
            self.page.wait_for_selector("body[data-ready]")
        return self.page

    def until(self, condition, seconds=10):
        """Wait for a JavaScript condition; playwright's own wait needs eval, which the page forbids."""
        for _ in range(int(seconds / 0.05)):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"still not: {condition}")

    def link(self):
        """Return the page's address, as soon as it contains the view."""
        self.until("location.hash.slice(1) === auxseg.state.link({}).slice(1)")
        return self.page.url

    def ids(self):
        """Return the ids of the cards that are drawn, in their order."""
        return self.page.eval_on_selector_all(
            ".card", "cards => cards.sort((a, b) => a.ariaPosInSet - b.ariaPosInSet).map((card) => card.dataset.id)"
        )

    def rows(self):
        """Return the ids of all selected images."""
        return self.page.evaluate("auxseg.app.rows.map((i) => auxseg.app.page.records.id[i])")

    def check(self):
        """Fail on an error, a warning, or a request that leaves the folder."""
        inside = (self.folder.as_uri() + "/", "data:", "blob:", "about:blank")
        assert [url for url in self.requests if not url.startswith(inside)] == []
        assert self.complaints == []
        self.context.close()


def verdicts(page):
    """Return the rows that the page would export."""
    return list(csv.DictReader(io.StringIO(page.evaluate("auxseg.verdicts.csv()"))))


def table(*rows):
    """Return a table of verdicts as text; what a row leaves out is bo's, on a label of r2 that is gone."""
    usual = {"label_hash": "0" * 64, "round": "r2", "reviewer": "bo", "date": "2026-01-31T12:00:00Z"}
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**usual, **row} for row in rows)
    return text.getvalue()
