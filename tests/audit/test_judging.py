"""Verdicts in a real browser: given by keyboard, kept, exported, imported, stale."""

import csv
import io

import pytest
from report_browser import table, verdicts
from report_data import CLASSES

from auxseg.review.verdicts import COLUMNS, read_verdicts


def test_verdicts_by_keyboard_export_and_import(seen, visit, work, index, tmp_path):
    page = seen.open("sort=id")
    page.fill("#reviewer", 'Ann, "A."')
    page.keyboard.press("Tab")
    page.locator(".card").first.focus()
    page.keyboard.press("r")
    assert page.locator(".card .badge").all_inner_texts() == ["reject"]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("u")
    page.keyboard.press("Enter")
    page.wait_for_selector("canvas")
    page.click("text=Drop from this label >> .. >> input >> nth=0")
    page.keyboard.press("m")
    page.fill("#note", '=a note, with "quotes"\nand <b>lines</b>')
    page.keyboard.press("Escape")
    with page.expect_download() as download:
        page.keyboard.press("e")
    exported = tmp_path / "verdicts.csv"
    download.value.save_as(exported)

    found = {verdict.image_id: verdict for verdict in read_verdicts(exported, CLASSES.names)}
    ids = sorted(index["id"])
    assert next(csv.reader(io.StringIO(exported.read_text()))) == list(COLUMNS)
    assert set(found) == set(ids[:2])
    first, second = found[ids[0]], found[ids[1]]
    assert (first.verdict, first.round, first.reviewer) == ("reject", "r2", 'Ann, "A."')
    assert first.label_hash == index["label"][index["id"].index(ids[0])]
    assert second.verdict == "unsure" and len(second.drop_classes) == 1
    assert second.note == '=a note, with "quotes"\nand <b>lines</b>'

    other = visit(work / "audit")  # another browser, with nothing kept
    page = other.open("verdict=reject")
    assert other.rows() == []
    page.set_input_files("#file", exported)
    other.until("auxseg.app.rows.length === 1")
    assert other.rows() == [ids[0]]
    with page.expect_download() as download:
        page.click("#export")
    download.value.save_as(tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == exported.read_bytes()


def test_verdicts_stay_in_the_browser_and_go_back(seen):
    page = seen.open("image=t004")
    page.wait_for_selector("canvas")
    page.keyboard.press("a")
    assert page.get_attribute("#accept", "aria-pressed") == "true"
    page = seen.open("verdict=accept")
    assert seen.rows() == ["t004"]
    page.locator(".card").first.focus()
    page.keyboard.press("x")
    page = seen.open("verdict=any")
    assert seen.rows() == []


def test_a_name_given_later_signs_the_verdicts_before(seen):
    page = seen.open("image=t004")
    page.wait_for_selector("canvas")
    page.keyboard.press("r")
    page.fill("#reviewer", "cy")
    page.keyboard.press("Tab")
    assert [(row["image_id"], row["verdict"], row["reviewer"]) for row in verdicts(page)] == [("t004", "reject", "cy")]
    assert "reject by cy" in seen.open("image=t004").locator("#by").inner_text()


def test_a_verdict_on_another_label_is_stale(seen, tmp_path):
    path = tmp_path / "old.csv"
    path.write_text(table({"image_id": "t005", "verdict": "reject", "drop_classes": "cat", "note": "old"}))
    page = seen.open("image=t005")
    page.wait_for_selector("canvas")
    page.fill("#reviewer", "bo")
    page.keyboard.press("Tab")
    page.set_input_files("#file", path)
    page.wait_for_selector("#stale:visible")
    assert "stale and not applied" in page.inner_text("#stale")
    assert page.get_attribute("#reject", "aria-pressed") == "false" and page.input_value("#note") == ""
    page = seen.open("verdict=stale")
    assert seen.rows() == ["t005"] and "stale" in page.inner_text(".card .badge")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("image_id,verdict\na,accept\n", "has no column label_hash"),
        (",".join(COLUMNS) + f"\nt001,{'0' * 64},r1,perhaps,,,me,2026-01-01\n", 'row 2: verdict "perhaps" is none of'),
    ],
)
def test_a_bad_table_is_refused_whole(seen, tmp_path, text, complaint):
    page = seen.open()
    path = tmp_path / "bad.csv"
    path.write_text(text)
    page.set_input_files("#file", path)
    seen.until("document.getElementById('alert').textContent")
    assert complaint in page.inner_text("#alert")
    assert page.evaluate("auxseg.verdicts.count()") == 0
