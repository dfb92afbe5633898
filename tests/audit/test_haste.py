"""Keys pressed faster than the report's scripts arrive, in a real browser: they are held back and let go by name."""

import pytest
from report_browser import verdicts

HOLD = """() => {
    const load = auxseg.load;
    const held = new Map();
    auxseg.load = (name) => new Promise((go) => held.set(name, go)).then(() => load(name));
    window.letGo = (start) => [...held].filter(([name]) => name.startsWith(start)).forEach(([, go]) => go());
}"""


@pytest.fixture
def held(seen):
    """A visit with an open image after which no script arrives before `letGo(start of its name)`."""

    def start(view):
        page = seen.open(view)
        page.wait_for_selector("canvas")
        page.evaluate(HOLD)
        return page

    return start


def test_a_verdict_goes_to_the_image_in_the_title(held, seen):
    page = held("sort=id&image=t004&panels=label")
    page.keyboard.press("r")
    page.keyboard.press("n")
    assert page.inner_text("#title") == "t005" and page.inner_text("#place") == "7 of 40"
    assert page.get_attribute("#reject", "aria-pressed") == "false"
    page.keyboard.press("r")
    assert {row["image_id"]: row["verdict"] for row in verdicts(page)} == {"t004": "reject", "t005": "reject"}
    assert page.locator("#stage[inert]").count() == 1  # it still shows t004
    page.keyboard.press("n")
    page.keyboard.press("n")
    page.keyboard.press("p")
    assert page.inner_text("#title") == "t006"
    page.evaluate("letGo('images/')")
    seen.until("auxseg.viewer.opened()?.id === 't006'")
    assert page.locator("#stage[inert]").count() == 0
    assert page.get_attribute("canvas", "aria-label").startswith("pseudo label of t006;")


def test_the_pixel_under_the_pointer_is_forgotten_with_its_image(held, seen):
    page = held("sort=id&image=t004&panels=label")
    page.locator("canvas").hover(position={"x": 20, "y": 20})
    seen.until("auxseg.pixel.at()")
    page.keyboard.press("n")
    assert page.evaluate("auxseg.pixel.at()") is None
    page.evaluate("letGo('images/')")
    seen.until("auxseg.viewer.opened()?.id === 't005'")


def test_a_picture_that_never_comes_leaves_none_of_another_image(held, seen):
    page = held("sort=id&image=t004")
    page.evaluate("() => { auxseg.load = async () => { throw new Error('images/x.js is missing') } }")
    page.keyboard.press("n")
    seen.until("document.getElementById('alert').textContent")
    assert page.inner_text("#title") == "t005" and page.locator("canvas").count() == 0
    assert page.locator("#stage[inert]").count() == 1
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.id") == "t005"
    seen.complaints.clear()  # the browser's words on what was thrown
