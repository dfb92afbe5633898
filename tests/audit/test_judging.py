"""Verdicts in a real browser: given by keyboard, kept, exported, imported, stale."""

import csv
import datetime
import io
import re

import pytest
from report_browser import IMPORT, table, verdicts

from auxseg.errors import DataError
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

    found = {verdict.image_id: verdict for verdict in read_verdicts(exported)}
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
    somebody = table({"image_id": "t005", "verdict": "accept", "reviewer": ""})
    page.evaluate(IMPORT, somebody)
    page.evaluate("void auxseg.verdicts.importCsv(auxseg.verdicts.csv())")  # the verdicts stay those of this browser
    page.fill("#reviewer", "cy")
    page.keyboard.press("Tab")
    signed = [(row["image_id"], row["verdict"], row["reviewer"]) for row in verdicts(page)]
    assert signed == [("t004", "reject", "cy"), ("t005", "accept", "")]
    assert "reject by cy" in seen.open("image=t004").locator("#by").inner_text()


def test_a_note_is_kept_with_every_letter(seen):
    page = seen.open("image=t004")
    page.fill("#note", "half a c")
    page.reload()
    assert [row["note"] for row in verdicts(page)] == ["half a c"]


def test_a_class_that_was_renamed_since_is_not_exported_again(seen, index):
    label = index["label"][index["id"].index("t004")]
    row = {"image_id": "t004", "label_hash": label, "round": "r2", "reviewer": "", "drop_classes": ["kitty"]}
    row |= {"verdict": "unsure", "note": "", "date": "2026-01-01"}
    page = seen.open("image=t004")
    page.evaluate(
        "(row) => localStorage.setItem(`auxseg-verdict-${auxseg.app.base.dataset}x`, JSON.stringify(row))", row
    )
    page.reload()
    page.wait_for_selector("#drop input")
    page.locator("#drop input").last.check()
    assert [found["drop_classes"] for found in verdicts(page)] == [page.locator("#drop input").last.input_value()]


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


REJECTED = [
    ({"image_id": " "}, "image_id"),
    ({"label_hash": "abc"}, "label_hash"),
    ({"round": "2"}, "round"),
    ({"round": "r02"}, "round"),
    ({"verdict": "perhaps"}, "verdict"),
    *(
        ({"date": date}, "date")
        for date in ("", "now", "20260131T120000Z", "2026-02-30", "2026-01-31T25:00", "2026-01-31T12:00+25:00")
    ),
]


RENAMED = [(2, "cat;bird"), (3, "background")]


def test_page_and_program_reject_the_same_rows_and_the_whole_table(seen, tmp_path):
    page = seen.open()
    path = tmp_path / "bad.csv"
    good = table({"image_id": "t001", "verdict": "accept"})
    lines = [
        (good + table({"image_id": "t002", "verdict": "accept", **row}).split("\n", 1)[1], f"line 3.*{word}")
        for row, word in REJECTED
    ]
    lines += [
        (good.replace("label_hash", "hash"), "no column.*label_hash"),
        (good + f"t002,{'0' * 64},r2,accept,,half a cat, and no tail,bo,2026-01-31\n", "line 3 has more cells"),
        (good + f"t002,{'0' * 64},r2,accept,,half a cat\n", "line 3 has no cell.*reviewer"),
    ]
    # an empty line, and a note of two lines, count as lines
    lines += [(good.replace("\n", "\n\n", 1) + f't002,{"0" * 64},r2,accept,,"half\na cat",bo,now\n', "line 5.*date")]
    for text, complaint in lines:
        path.write_text(text)
        with pytest.raises(DataError, match=complaint):
            read_verdicts(path)
        page.set_input_files("#file", path)
        seen.until("document.getElementById('alert').textContent")
        assert re.search(complaint, page.inner_text("#alert"))
        assert page.evaluate("auxseg.verdicts.count()") == 0
        page.evaluate("auxseg.say('')")
    # of a class that was renamed, only the rows that drop it
    path.write_text(good + "".join(f"t00{n},{'0' * 64},r2,unsure,{name},,bo,2026-01-31\n" for n, name in RENAMED))
    page.set_input_files("#file", path)
    seen.until("document.getElementById('alert').textContent")
    assert "1 verdicts read" in page.inner_text("#alert")
    assert "2 left out, because the report has no such class: the first, r2 t002 drops “bird”" in page.inner_text(
        "#alert"
    )
    assert [row["image_id"] for row in verdicts(page)] == ["t001"]


def test_a_time_without_a_zone_is_utc(visit, work):
    """Whatever zone the browser is in: the newer of two verdicts is the program's newer one."""
    seen = visit(work / "audit", timezone_id="Asia/Tokyo")
    page = seen.open()
    dates = [
        "2026-01-31",
        "2026-01-31T12:00",
        "2026-01-31 12:00:00.5",
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00+01:30",
    ]
    rows = [{"image_id": f"t{n:03d}", "verdict": "accept", "date": date} for n, date in enumerate(dates)]
    page.evaluate(IMPORT, table(*rows))
    assert [row["date"] for row in verdicts(page)] == dates
    instants = page.evaluate("(dates) => dates.map(auxseg.instant)", dates)
    times = [datetime.datetime.fromisoformat(date) for date in dates]
    utc = datetime.UTC
    assert instants == [1000 * (time if time.tzinfo else time.replace(tzinfo=utc)).timestamp() for time in times]
