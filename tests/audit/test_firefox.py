"""One run of the report in Firefox ESR over file://, by WebDriver BiDi: playwright drives a Firefox of its own only."""

import itertools
import json
import re
import subprocess

import pytest
from report_browser import find_browser
from report_data import make
from report_reader import write

pytestmark = pytest.mark.nightly


class Firefox:
    """A headless Firefox and its one page."""

    def __init__(self, path, profile):
        websocket = pytest.importorskip("websocket", reason="websocket-client comes with the extra `dev`")
        command = [path, "--headless", "--remote-debugging-port", "0", "--no-remote", "--profile", str(profile)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        address = next(filter(None, (re.search(r"ws://\S+", line) for line in self.process.stderr)))[0]
        self._socket = websocket.create_connection(f"{address}/session", timeout=60, suppress_origin=True)
        self._numbers, self.events = itertools.count(), []
        self.send("session.new", capabilities={})
        self.send("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self._context = self.send("browsingContext.getTree")["contexts"][0]["context"]

    def send(self, method, **params):
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("type") == "event":
                self.events.append(answer)
            elif answer.get("id") == number:
                assert answer["type"] == "success", answer
                return answer["result"]

    def open(self, url):
        self.send("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def run(self, expression):
        """Return the value, JSON, of an expression; a promise is waited for."""
        text = f"Promise.resolve({expression}).then(JSON.stringify)"
        target = {"context": self._context}
        result = self.send("script.evaluate", expression=text, target=target, awaitPromise=True)["result"]
        return json.loads(result.get("value", "null"))

    def close(self):
        self._socket.close()
        self.process.terminate()
        self.process.wait(timeout=30)


@pytest.fixture
def firefox(tmp_path):
    (tmp_path / "profile").mkdir()
    browser = Firefox(find_browser("firefox-esr", "firefox"), tmp_path / "profile")
    yield browser
    browser.close()


WAIT = """new Promise((done) => {
    const look = () => (CONDITION) ? done(true) : setTimeout(look, 50);
    look();
})"""


def test_smoke(firefox, tmp_path):
    make(tmp_path, train=8, val=2)
    folder = write(tmp_path)
    firefox.open(f"{(folder / 'index.html').as_uri()}#sort=id&image=t001&pixel=20,20")
    assert firefox.run(WAIT.replace("CONDITION", "document.querySelectorAll('#pixel-rows tr').length"))
    assert firefox.run("document.querySelectorAll('canvas').length") == 8
    assert firefox.run("document.querySelectorAll('.card').length") == 8
    opened = "auxseg.viewer.opened().image"
    assert firefox.run(f"auxseg.countMismatches({opened}, {opened}.rounds.r2, auxseg.app.base.rule)") == 0
    firefox.run("document.getElementById('reject').click()")
    assert firefox.run("auxseg.verdicts.csv()").splitlines()[1].startswith("t001,")
    firefox.open(f"{(folder / 'index.html').as_uri()}#verdict=reject")
    assert firefox.run(WAIT.replace("CONDITION", "document.body.dataset.ready"))
    assert firefox.run("auxseg.app.rows.length") == 1  # kept in the browser

    logged = [event["params"]["text"] for event in firefox.events if event["method"] == "log.entryAdded"]
    assert logged == []
    asked = [event["params"]["request"]["url"] for event in firefox.events if "request" in event["params"]]
    assert [url for url in asked if not url.startswith((folder.as_uri(), "data:", "blob:", "about:"))] == []
