"""Keys pressed faster than the report's scripts arrive, in a real browser: each applies to the intended image."""

import pytest
from report_browser import verdicts

HOLD = """() => {
    const load = auxseg.load;
    let held = [];
    const free = [];
    const isFree = ({ name }) => free.some((start) => name.startsWith(start));
    auxseg.load = (name) => new Promise((go) => held.push({ name, go })).then(() => load(name));
    setInterval(() => {
        held.filter(isFree).forEach(({ go }) => go());
        held = held.filter((one) => !isFree(one));
    }, 5);
    window.letGo = (start) => free.push(start);
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


def test_the_round_asked_for_last_is_shown(held, seen):
    page = held("image=t004&panels=label")
    page.keyboard.press(",")
    page.keyboard.press(",")
    assert "round=r0" in seen.link()
    page.keyboard.press("r")  # r0's label is not known yet, and r2's is not meant
    assert "Not judged" in page.inner_text("#alert") and verdicts(page) == []
    page.evaluate("letGo('index/r0')")
    page.evaluate("letGo('images/')")
    seen.until("auxseg.viewer.opened()?.round === 'r0'")
    page.evaluate("letGo('index/r1')")
    page.wait_for_timeout(100)
    page.keyboard.press("r")
    assert page.evaluate("auxseg.app.round") == "r0" and page.inner_text("#alert") == ""
    assert [row["round"] for row in verdicts(page)] == ["r0"]


def test_a_picture_of_the_round_before_is_not_shown_while_another_loads(held, seen):
    """Nothing could store a note on it: the hashes of the round's labels are not known yet."""
    page = held("sort=id&image=t004&panels=label")
    page.keyboard.press("n")
    page.keyboard.press(",")
    page.evaluate("letGo('images/')")
    page.wait_for_timeout(200)
    assert page.evaluate("auxseg.viewer.opened() === null") and page.locator("#stage[inert]").count() == 1
    page.evaluate("letGo('index/r1')")
    seen.until("auxseg.viewer.opened()?.round === 'r1'")
    assert page.inner_text("#title") == "t005"


NO_PICTURES = """
    const append = Element.prototype.append;
    Element.prototype.append = function (...nodes) {
        if (!nodes.some((node) => String(node.src).includes("/images/"))) append.apply(this, nodes);
    };
"""


def test_a_verdict_shows_before_the_first_picture_has_loaded(seen):
    page = seen.page
    page.add_init_script(NO_PICTURES)
    page.goto(f"{(seen.folder / 'index.html').as_uri()}#image=t004")
    page.wait_for_selector("#title:has-text('t004')")
    page.keyboard.press("r")
    assert page.get_attribute("#reject", "aria-pressed") == "true"
    assert page.inner_text("#export") == "Export 1 verdicts"


def test_back_to_the_round_in_sight_waits_for_nothing(held, seen):
    page = held("image=t004&panels=label")
    page.keyboard.press(",")
    page.keyboard.press(".")
    page.evaluate("letGo('images/')")
    seen.until("auxseg.viewer.opened()?.round === 'r2'")
    page.evaluate("letGo('index/r1')")
    page.wait_for_timeout(100)
    assert page.evaluate("auxseg.app.round") == "r2" and page.input_value("#round") == "r2"


def test_a_round_that_never_comes_leaves_the_one_in_sight(seen):
    page = seen.open("sort=id")
    page.evaluate("() => { auxseg.load = async () => { throw new Error('index/r1-train.js is missing') } }")
    page.select_option("#round", "r1")
    seen.until("document.getElementById('alert').textContent")
    assert page.input_value("#round") == "r2" and "round" not in seen.link()
    page.select_option("#class", "cat")
    assert page.input_value("#class") == "cat"
    seen.complaints.clear()  # the browser's words on what was thrown


def test_a_browser_that_refuses_addresses_freezes_nothing(seen):
    """Safari allows 100 in 30 seconds, Firefox 200 in 10; a drag asks for more."""
    page = seen.open("image=t004&panels=label")
    page.wait_for_selector("canvas")
    page.evaluate(
        """() => {
            window.refused = 0;
            history.replaceState = () => { refused++; throw new DOMException("too many", "SecurityError"); };
        }"""
    )
    page.keyboard.press("z")
    for _ in range(5):
        page.keyboard.press("[")
        page.keyboard.press("+")
    assert page.inner_text("#zoom-value") == "759 %" and page.input_value("#opacity") == "0.15"
    seen.until("refused === 1")
    page.evaluate("delete history.replaceState")
    page.keyboard.press("]")
    assert "opacity=0.25" in seen.link()


def test_back_goes_to_the_view_as_it_was_left(seen):
    page = seen.open()
    page.fill("#search", "t00")
    page.locator(".card").first.click()
    page.go_back()
    seen.until("document.getElementById('viewer').hidden")
    assert page.input_value("#search") == "t00" and len(seen.rows()) == 10
