"""Two reviewers of one label, in a real browser: each changes only their own verdict; the page shows both combined."""

import pytest
from report_browser import IMPORT, table, verdicts


@pytest.fixture
def judged(seen, index):
    """Ann's page with an image open that others have judged: `judged(rows of a table)`."""
    label = index["label"][index["id"].index("t004")]

    def start(*rows, view="image=t004&panels=label"):
        page = seen.open(view)
        page.fill("#reviewer", "ann")
        page.keyboard.press("Tab")
        page.evaluate(IMPORT, table(*({"image_id": "t004", "label_hash": label, **row} for row in rows)))
        if "image=" in view:
            page.wait_for_selector("#stage:not([inert])")
        return page

    return start


def by_reviewer(page):
    return {row["reviewer"]: (row["verdict"], row["drop_classes"], row["note"]) for row in verdicts(page)}


def test_whoever_gives_way_keeps_a_verdict(judged):
    page = judged({"reviewer": "ann", "verdict": "reject"}, {"verdict": "accept", "date": "2026-02-01"})
    assert page.get_attribute("#reject", "aria-pressed") == "true"
    assert page.inner_text("#by").startswith("reject by ann")
    assert page.locator("#others li").all_inner_texts() == ["accept by bo, 2026-02-01"]
    page.keyboard.press("a")
    page.keyboard.press("a")  # the same again is the same
    assert by_reviewer(page) == {"ann": ("accept", "", ""), "bo": ("accept", "", "")}
    page.keyboard.press("x")
    assert set(by_reviewer(page)) == {"bo"} and page.inner_text("#by") == "not judged by ann"


def test_a_note_or_a_dropped_class_accepts_nothing(judged):
    page = judged({"verdict": "reject", "drop_classes": "cat", "note": "his"})
    assert page.input_value("#note") == "" and page.locator("#drop input:checked").count() == 0
    page.fill("#note", "hers")
    page.locator("#drop input").last.check()
    dropped = page.locator("#drop input").last.input_value()
    assert page.evaluate("document.activeElement.value") == dropped
    assert by_reviewer(page) == {"ann": ("unsure", dropped, "hers"), "bo": ("reject", "cat", "his")}


def test_the_form_turns_to_another_reviewer(judged):
    page = judged({"verdict": "reject"})
    page.fill("#reviewer", "bo")
    page.keyboard.press("Tab")
    assert page.get_attribute("#reject", "aria-pressed") == "true" and page.locator("#others").is_hidden()


def test_badge_and_filter_tell_what_all_verdicts_come_to(judged, seen):
    """As decide_uses: any rejection rejects, dropped classes add up, what is stale is not applied."""
    rejected = {"verdict": "reject", "date": "2026-01-01"}
    accepted = {"verdict": "accept", "drop_classes": "cat", "reviewer": "ann"}
    dropping = {"verdict": "unsure", "drop_classes": "cat;<b>dog</b>", "reviewer": "cy"}
    page = judged(rejected, accepted, dropping, view="sort=id&search=t004")
    assert page.inner_text(".card .badge") == "reject"
    label = page.evaluate("auxseg.app.page.index.label[auxseg.app.rows[0]]")
    gives_way = {"image_id": "t004", "label_hash": label, "verdict": "unsure"}
    page.evaluate(
        IMPORT, table(gives_way, {"image_id": "t004", "verdict": "reject", "reviewer": "dee"})
    )  # hers is stale
    assert page.inner_text(".card .badge") == "accept \u2212<b>dog</b>, cat"
    for verdict, count in {"accept": 1, "reject": 0, "dropped": 1, "stale": 1, "any": 1, "none": 0}.items():
        page.select_option("#verdict", verdict)
        assert (verdict, len(seen.rows())) == (verdict, count)


def test_a_verdict_on_another_project_s_label_stays_as_it_is(judged, seen):
    """A project on the same images has the same rounds, and its page the same store, but other labels."""
    there = {"reviewer": "ann", "verdict": "reject", "label_hash": "1" * 64, "date": "2026-01-01"}
    page = judged(there, {**there, "label_hash": "2" * 64, "verdict": "accept"}, {**there, "reviewer": "bo"})
    assert "“accept”" in page.inner_text("#stale")
    assert page.locator("#others li").all_inner_texts() == ["reject by bo, 2026-01-01 (stale)"]
    page.keyboard.press("x")  # withdraws nothing: she has not judged this label
    page.keyboard.press("u")
    page.evaluate(IMPORT, table({"image_id": "t004", "label_hash": "2" * 64, "verdict": "unsure"}))
    label = page.evaluate("auxseg.app.page.index.label[auxseg.viewer.row()]")
    found = {(row["label_hash"], row["reviewer"]): row["verdict"] for row in verdicts(page)}
    assert found == {
        ("1" * 64, "ann"): "reject",
        ("1" * 64, "bo"): "reject",
        ("2" * 64, "ann"): "accept",
        ("2" * 64, "bo"): "unsure",
        (label, "ann"): "unsure",
    }
    assert page.locator("#stale").is_hidden()
    assert page.locator("#others li").all_inner_texts() == ["unsure by bo, 2026-01-31T12:00:00Z (stale)"]
    page.evaluate(IMPORT, table({"image_id": "t004", "label_hash": label, "verdict": "accept"}))
    assert page.evaluate("auxseg.app.verdictOf(auxseg.viewer.row()).hasStale") is False  # nobody has to judge again
    page.reload()
    page.wait_for_selector("#stage:not([inert])")
    page.keyboard.press("x")
    assert {row["label_hash"] for row in verdicts(page) if row["reviewer"] == "ann"} == {"1" * 64, "2" * 64}


def test_two_tabs_keep_each_other_s_verdicts(judged, seen):
    page = judged(view="sort=id&image=t004&panels=label")
    other = seen.context.new_page()
    other.goto(page.url.replace("t004", "t005"))
    other.wait_for_selector("#stage:not([inert])")
    for field, key, verdict in (("reviewer", "r", "reject"), ("note", "u", "unsure")):
        before = page.input_value(f"#{field}")
        page.fill(f"#{field}", f"{before}!")
        other.keyboard.press(key)
        seen.until(f"auxseg.app.verdictOf(auxseg.app.page.records.id.indexOf('t005'))?.verdict === '{verdict}'")
        page.evaluate("() => new Promise(requestAnimationFrame)")  # it is drawn
        assert page.input_value(f"#{field}") == f"{before}!"
        page.fill(f"#{field}", before)
    page.fill("#note", "a note")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.keyboard.press("a")
    other.wait_for_selector("#by:has-text('accept by ann')")
    assert [(row["image_id"], row["note"]) for row in verdicts(other)] == [("t004", "a note"), ("t005", "")]
    other.keyboard.press("x")
    seen.until("auxseg.verdicts.count() === 1")
    other.evaluate("localStorage.clear()")
    seen.until("auxseg.verdicts.count() === 0")


def test_a_name_given_in_one_tab_signs_in_the_other(judged, seen):
    page = judged(view="sort=id&image=t004")
    other = seen.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("#stage:not([inert])")
    page.fill("#reviewer", "cy")
    page.keyboard.press("Tab")
    other.wait_for_function("auxseg.verdicts.reviewer() === 'cy'")
    other.keyboard.press("r")
    assert by_reviewer(other) == {"cy": ("reject", "", "")}


def test_a_held_key_judges_once(judged):
    page = judged()
    page.keyboard.down("r")
    page.click("#clear")
    page.keyboard.down("r")  # repeated by the keyboard
    assert by_reviewer(page) == {}
    page.evaluate("() => { window.clicks = 0; document.getElementById('export').onclick = () => clicks++; }")
    page.keyboard.down("e")
    page.keyboard.down("e")
    assert page.evaluate("clicks") == 1
