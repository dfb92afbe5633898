"""The gallery in a real browser, over file://: ranked, filtered, linked to, by keyboard, and with 10,000 images."""

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from report_browser import TRAIN
from report_data import ODD_ID


def sorted_ids(index, key, largest=True):
    values = [(value is None, -value if largest else value, n) for n, value in enumerate(index["figures"][key])]
    return [index["id"][n] for _, _, n in sorted(values)]


def test_gallery_opens_with_the_worst_first(seen, index):
    page = seen.open()
    assert page.inner_text("#count") == f"{TRAIN} of {TRAIN} images"
    assert seen.rows() == sorted_ids(index, "expected_iou", largest=False)
    assert seen.ids() == seen.rows()[: len(seen.ids())]
    assert page.locator(".card").first.locator(".thumb").count() == 2


def test_sorting_by_two_figures_through_the_controls(seen, index):
    page = seen.open()
    page.select_option("[aria-label='order 1']", "missing")
    page.click("#add-sort")
    page.select_option("[aria-label='order 2']", "ignored")
    page.click("[aria-label^='order 2: largest first']")
    figures = index["figures"]
    rows = sorted(range(TRAIN), key=lambda n: (-figures["missing"][n], figures["ignored"][n], n))
    assert seen.rows() == [index["id"][n] for n in rows]
    page.select_option("[aria-label='order 1']", "share:cat")
    shares = [pixels.get("1", 0) for pixels in index["pixels"]]
    assert shares[index["id"].index(seen.rows()[0])] == max(shares)


def test_filters_combine_and_a_link_reproduces_the_view(seen, visit, work, index):
    page = seen.open()
    middle = float(np.median(index["figures"]["ignored"]))
    page.click("#add-range")
    offered = page.locator("[aria-label='filter 1'] option").evaluate_all("all => all.map(one => one.value)")
    assert "ignored" in offered and "id" not in offered  # a file name is not between two numbers
    page.fill("[aria-label='least of filter 1']", str(100 * middle))  # per cent
    page.keyboard.press("Tab")
    page.select_option("#class", "<b>dog</b>")
    page.fill("#search", "T0")
    wanted = {
        index["id"][n]
        for n in range(TRAIN)
        if index["figures"]["ignored"][n] >= middle and 2 in index["tags"][n] and "t0" in index["id"][n]
    }
    assert 0 < len(wanted) < TRAIN and set(seen.rows()) == wanted
    other = visit(work / "audit")
    other.open(seen.link().partition("#")[2])
    assert other.rows() == seen.rows()
    assert other.page.input_value("#search") == "T0" and other.page.input_value("#class") == "<b>dog</b>"
    page.click("#reset")
    assert len(seen.rows()) == TRAIN
    page.evaluate("auxseg.app.page.records.id[0] = 'cafe\\u0301'")  # as macOS writes é in a file name
    page.fill("#search", "CAF\u00c9")
    assert len(seen.rows()) == 1


@pytest.mark.parametrize("where", ["tagged", "label", "missing", "untagged"])
def test_class_filter(seen, index, where):
    seen.open(f"class=cat&where={where}")
    has = {
        "tagged": lambda n: 1 in index["tags"][n],
        "label": lambda n: "1" in index["pixels"][n],
        "missing": lambda n: 1 in index["missing"][n],
        "untagged": lambda n: 1 in index["untagged"][n],
    }[where]
    assert set(seen.rows()) == {index["id"][n] for n in range(TRAIN) if has(n)}


def test_rounds_and_splits(seen, work):
    page = seen.open("round=r0")
    boxes = page.locator("#thumb-kinds label").all_inner_texts()
    assert boxes == ["image", "saliency prior", "CAM", "pseudo label", "mask"]
    page.select_option("#split", "val")
    seen.until("auxseg.app.split === 'val'")
    assert page.input_value("#round") == "r2" and len(seen.rows()) == 6  # r0 has no predictions
    page.locator(".card").first.click()
    page.wait_for_selector("canvas[data-kind=label]")
    assert "final prediction" in page.locator("figcaption").all_inner_texts()
    assert page.locator("#verdict-form").is_hidden()
    page.keyboard.press(",")
    seen.until("auxseg.app.round === 'r1'")
    page.go_back()
    assert page.locator("#viewer").is_hidden()


def focused(page):
    return page.evaluate("document.activeElement.dataset.id")


def test_both_bounds_of_a_figure_in_one_go(seen):
    page = seen.open("sort=id")
    page.click("#add-range")
    page.focus("[aria-label='least of filter 1']")
    page.keyboard.type("10")
    page.keyboard.press("Tab")
    page.keyboard.type("35")
    seen.until("auxseg.state.get().ranges[0] === 'ignored:0.1..0.35'")
    page.click("[aria-label='remove filter 1']")
    seen.until("auxseg.state.get().ranges.length === 0")
    assert page.evaluate("document.activeElement.id") == "add-range"


@pytest.mark.parametrize("link", ["ranges=beauty:1..2", "sort=-beauty"])
def test_a_link_with_a_figure_of_another_report_says_so(seen, link):
    """By bounds of a figure that does not exist nothing is found."""
    page = seen.open(link)
    assert "no figure beauty" in page.inner_text("#alert")
    seen.open("ranges=ignored:0..1&sort=id")
    assert page.inner_text("#alert") == ""


def test_val_offers_no_round_without_predictions(seen):
    page = seen.open("split=val")
    assert page.locator("#round option").all_inner_texts() == ["r1", "r2"]
    page.select_option("#split", "train")
    seen.until("document.getElementById('round').length === 3")


def test_the_first_key_goes_to_the_first_card(seen):
    page = seen.open("sort=id")
    page.keyboard.press("n")
    assert focused(page) == seen.rows()[0]
    page.keyboard.press("ArrowRight")
    assert focused(page) == seen.rows()[1]
    page.click("[aria-label^='order 1: smallest first']")
    page.keyboard.press("n")
    assert focused(page) == seen.rows()[0] == "t038"
    page.fill("#search", "t00")
    page.locator("#list").focus()
    page.keyboard.press("ArrowDown")
    assert focused(page) == seen.rows()[0] == "t009"


def test_the_tab_key_reaches_one_card_wherever_the_list_is(seen):
    page = seen.open("sort=id")
    page.keyboard.press("n")
    page.evaluate("document.getElementById('list').scrollTop = 1e9")
    seen.until("!document.querySelector('.card[aria-posinset=\"1\"]')")
    assert page.locator(".card[tabindex='0']").count() == 1
    page.locator("#list").focus()
    page.keyboard.press("Tab")
    assert focused(page) in seen.ids()


def test_a_card_keeps_the_focus_in_another_round_and_size(seen):
    page = seen.open("sort=-changed")
    page.keyboard.press("n")
    before = focused(page)
    page.keyboard.press(",")
    seen.until("auxseg.app.round === 'r1'")
    assert focused(page) == before
    page.keyboard.press("ArrowRight")
    assert focused(page) == seen.rows()[seen.rows().index(before) + 1]
    page.set_viewport_size({"width": 960, "height": 700})
    seen.until("document.getElementById('list').clientWidth < 700")
    page.keyboard.press("p")
    assert focused(page) == before


def test_brackets_that_a_keyboard_has_on_altgr_or_option(seen):
    page = seen.open("image=t001&opacity=0.5")
    page.wait_for_selector("canvas")
    german = {"key": "[", "code": "Digit8", "bubbles": True}
    for held in ({"ctrlKey": True, "altKey": True, "modifierAltGraph": True}, {"altKey": True}):
        page.dispatch_event("body", "keydown", german | held)
    assert page.input_value("#opacity") == "0.3" and "hidden" not in seen.link()
    page.dispatch_event("body", "keydown", german | {"ctrlKey": True})
    assert page.input_value("#opacity") == "0.3"
    page.keyboard.press("+")
    page.dispatch_event("body", "keydown", {"key": "-", "code": "Digit6", "bubbles": True})  # French
    assert page.inner_text("#zoom-value") == "100 %" and "hidden" not in seen.link()


def test_hostile_names_are_text(seen):
    page = seen.open("sort=id")
    assert ODD_ID in page.locator(".card .name").all_inner_texts()
    assert page.locator(".card b, .card script, #class b").count() == 0
    assert "<b>dog</b>" in page.locator("#class option").all_inner_texts()
    page.locator(".card").first.click()
    page.wait_for_selector("canvas")
    assert page.inner_text("#title") == ODD_ID
    assert page.get_attribute("canvas[data-kind=label]", "aria-label").startswith(f"pseudo label of {ODD_ID};")


def test_everything_has_a_name_and_the_tab_key_reaches_it(seen):
    page = seen.open("image=t001")
    page.wait_for_selector("canvas")
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input:not([hidden]), textarea, canvas, a")]
            .filter((e) => !(e.textContent.trim() || e.ariaLabel || e.closest("label")?.textContent.trim()))
            .map((e) => e.outerHTML)"""
    )
    assert unnamed == []
    page.locator("#title").focus()
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.value"))
    assert {"opacity", "zoom-in", "close", "accept", "reject", "unsure", "note", "check"} <= reached
    assert not {"search", "add-sort"} & reached  # the gallery behind it is inert


@pytest.mark.parametrize(
    ("name", "view"), [("index.html", ""), ("index.html", "image=t001&pixel=5,5"), ("tables.html", "")]
)
def test_axe_has_no_complaint(seen, name, view):
    page = seen.open(view, name)
    if view:
        page.wait_for_selector("#pixel-rows tr")
    assert [found["id"] for found in Axe().run(page, options={"preload": False}).response["violations"]] == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_contrast_of_text(seen, scheme):
    """WCAG 2.1 AA: 4.5 to 1, of every colour for text on every ground."""
    page = seen.open()
    page.emulate_media(color_scheme=scheme)
    colours = page.evaluate(
        """() => {
            const style = getComputedStyle(document.documentElement);
            const hex = (name) => style.getPropertyValue(`--${name}`).trim().match(/[0-9a-f]{2}/gi);
            const rgb = (name) => hex(name).map((value) => parseInt(value, 16));
            const names = ["ground", "raised", "button", "text", "quiet", "accent", "good", "bad", "doubt", "bar"];
            return Object.fromEntries(names.map((name) => [name, rgb(name)]));
        }"""
    )

    def luminance(name):
        channels = np.array(colours[name]) / 255
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    pairs = [
        (text, ground)
        for text in ("text", "quiet", "accent", "good", "bad", "doubt")
        for ground in ("ground", "raised")
    ]
    for text, ground in [*pairs, ("text", "button"), ("quiet", "button"), ("text", "bar")]:
        light, dark = sorted((luminance(text), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)


def test_tables_sort_both_ways_and_leave_gaps_last(seen):
    page = seen.open(name="tables.html")
    assert page.locator("#classes td b").count() == 0
    for column, first, values, gaps in (
        (2, "ascending", ["labels"] * 3 + ["model"] * 2, []),
        (5, "descending", ["40", "41", "42", "43", "44"], []),
        (7, "descending", ["50", "52", "54"], ["-", "-"]),
    ):
        orders = {"ascending": values + gaps, "descending": values[::-1] + gaps}
        for order in (first, *(orders.keys() - {first}), first):
            page.click(f"#rounds th:nth-child({column}) button")
            assert page.get_attribute(f"#rounds th:nth-child({column})", "aria-sort") == order
            assert page.locator(f"#rounds td:nth-child({column})").all_inner_texts() == orders[order]
    page.set_viewport_size({"width": 700, "height": 200})
    page.emulate_media(media="print")  # on paper nothing scrolls, and backgrounds are left out
    hidden = "[...document.querySelectorAll('main, .scroll')].filter((e) => getComputedStyle(e).overflow !== 'visible')"
    assert page.evaluate(f"{hidden}.length") == 0
    assert page.evaluate("document.body.clientHeight") > 200
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(26, 29, 33)"


def test_ten_thousand_images(visit, work, tmp_path, multiplied):
    folder = multiplied(work / "audit", tmp_path / "audit", 10_000)
    seen = visit(folder)
    page = seen.open("sort=-ignored")
    assert page.inner_text("#count") == "10000 of 10000 images"
    assert page.locator(".card").count() < 80  # what is in sight, and a little more
    first = seen.ids()[0]
    page.evaluate("document.getElementById('list').scrollTop = 1e9")
    seen.until("[...document.querySelectorAll('.card')].some((card) => card.ariaPosInSet === '10000')")
    assert first not in seen.ids() and page.locator(".card").count() < 80
    page.fill("#search", "-0123")
    seen.until("auxseg.app.rows.length < 100")
    assert len(seen.rows()) == 40


def test_pictures_wait_while_the_list_moves_too_fast_for_them(visit, work, tmp_path, multiplied):
    """Cards appear at once, their pictures when the list has stopped; a first jump, as of a key, waits for nothing."""
    seen = visit(multiplied(work / "audit", tmp_path / "audit", 2_000))
    page = seen.open()
    bare = page.evaluate(
        """async () => {
            const list = document.getElementById("list");
            const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            const bare = () => [...document.querySelectorAll(".thumbs")].filter((one) => !one.children.length).length;
            const found = [];
            for (let step = 0; step < 6; step++) {
                list.scrollTop += list.clientHeight;
                await frame();
                found.push(bare());
            }
            return found;
        }"""
    )
    assert bare[0] == 0 and bare[-1] > 0
    seen.until("[...document.querySelectorAll('.thumbs')].every((one) => one.children.length === 2)")


def test_a_missing_chunk_is_named(visit, work, tmp_path, multiplied):
    folder = multiplied(work / "audit", tmp_path / "audit", TRAIN)
    for path in (folder / "images").glob("*.js"):
        path.unlink()
    seen = visit(folder)
    page = seen.open()
    page.locator(".card").first.click()
    seen.until("document.getElementById('alert').textContent")
    assert "images/0000" in page.inner_text("#alert") and "Copy the whole folder" in page.inner_text("#alert")
    seen.complaints.clear()  # the browser's own words on the missing file
