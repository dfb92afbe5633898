"""One image in a real browser: overlays, zoom, the reason of every pixel, changes, provenance."""

import numpy as np
from report_browser import TRAIN
from report_data import CLASSES, ODD_ID
from report_reader import read_script

from auxseg.artifacts.archive import Archive
from auxseg.datasets.manifest import shard_of
from auxseg.encoded import decode_indices


def label(work, image_id, round_name="r2"):
    path = work / f"data/labels/{round_name}/{shard_of(image_id, ('00', '01'))}.zip"
    return decode_indices(Archive(path)[f"{image_id}.png"])


def test_every_pixel_of_every_round_is_explained(seen, work):
    """The program in the page decides as the stored label says, in every pixel; values read without a canvas."""
    page = seen.open()
    found = page.evaluate(
        """async () => {
            const { base, page } = auxseg.app;
            const results = [];
            for (const chunk of new Set(page.records.chunk)) {
                for (const stored of await auxseg.load(`images/${chunk}`)) {
                    const tags = page.records.tags[page.records.id.indexOf(stored.id)];
                    const image = await auxseg.decodeImage(stored, tags, base.rounds);
                    for (const name of base.rounds) {
                        const decided = auxseg.countMismatches(image, image.rounds[name], base.rule);
                        const sum = (total, value, i) => (total + value * (i % 251)) % 65521;
                        const values = image.rounds[name].label.reduce(sum, 0);
                        results.push([stored.id, name, image.width * image.height, decided, values]);
                    }
                }
            }
            return results;
        }"""
    )
    assert len(found) == TRAIN * 3
    for image_id, name, pixels, mismatches, values in found:
        stored = label(work, image_id, name).reshape(-1).astype(np.int64)
        assert (pixels, mismatches) == (61 * 90, 0)
        assert values == int((stored * (np.arange(stored.size) % 251)).sum() % 65521)


def test_pixel_reason(seen, work):
    chosen = label(work, "t001")
    where = {
        kind: np.argwhere(chosen == value)[0] for kind, value in (("object", 1), ("background", 0), ("ignored", 255))
    }
    for kind, (y, x) in where.items():
        page = seen.open(f"image=t001&pixel={x},{y}")
        page.wait_for_selector("#pixel-rows tr")
        texts = page.locator("#pixel-rows td").all_inner_texts()
        assert page.locator("#pixel-head th").all_inner_texts() == ["r2", "r1"]
        shown = {"object": "cat", "background": "background", "ignored": "ignored (255)"}[kind]
        assert texts[0] == shown and texts[2].startswith(kind)
    page = seen.open("split=val&image=v001&pixel=5,5")  # no stage makes a saliency label of it
    page.wait_for_selector("#pixel-rows tr")
    rows = [row.split("\t") for row in page.locator("#pixel-rows").inner_text().splitlines()]
    assert [row[1:] for row in rows if row[0] in ("before CRF", "after CRF")] == [["\u2013", "\u2013"]] * 2


def test_hovering_tells_the_pixel_under_the_pointer(seen, work):
    page = seen.open("image=t001&panels=label")
    box = page.locator("canvas[data-kind=label]").bounding_box()
    for share_x, share_y in ((0.105, 0.205), (0.505, 0.5), (0.93, 0.8)):
        page.mouse.move(box["x"] + box["width"] * share_x, box["y"] + box["height"] * share_y)
        seen.until(f"document.getElementById('pixel-place').textContent.startsWith('x {int(90 * share_x)}')")
        text = page.inner_text("#pixel-place")
        assert text == f"x {int(90 * share_x)}, y {int(61 * share_y)}"
        value = label(work, "t001")[int(61 * share_y), int(90 * share_x)]
        name = "ignored (255)" if value == 255 else CLASSES.with_background[value]
        assert page.locator("#pixel-rows td").first.inner_text() == name


def painted(page, kind):
    """Return the pixels of a panel's canvas, at the size of the image."""
    values = page.evaluate(
        """(kind) => {
            const shown = auxseg.paint(auxseg.app, auxseg.viewer.opened(), kind);
            const read = (layer) => layer && [...layer.canvas.getContext("2d").getImageData(0, 0, 90, 61).data];
            return [read(shown.overlay), read(shown.hatch)];
        }""",
        kind,
    )
    return [np.array(part, np.uint8).reshape(61, 90, 4) if part else None for part in values]


def test_overlay_hatch_and_class_toggles(seen, work):
    page = seen.open(f"image={ODD_ID.replace('&', '%26').replace('#', '%23')}")
    page.wait_for_selector("canvas[data-kind=label]")
    stored = label(work, ODD_ID)
    assert {1, 2, 255} <= set(np.unique(stored).tolist())
    overlay, hatch = painted(page, "label")
    assert (overlay[stored == 1] == [128, 0, 0, 255]).all() and (overlay[stored == 2] == [0, 128, 0, 255]).all()
    assert (overlay[(stored == 0) | (stored == 255), 3] == 0).all()
    assert ((hatch[..., 3] == 255) == (stored == 255)).all()
    assert set(hatch[stored == 255][:, 0].tolist()) == {40, 245}
    page.locator("#title").focus()
    page.keyboard.press("1")  # the class cat
    assert "hidden=cat" in seen.link()
    overlay, hatch = painted(page, "label")
    assert (overlay[stored == 1, 3] == 0).all() and (overlay[stored == 2, 3] == 255).all()
    page.keyboard.press("0")
    page.keyboard.press("0")
    overlay, hatch = painted(page, "label")
    assert ((hatch[..., 3] == 255) == (stored == 255)).all()  # never to be hidden
    assert page.locator("#class-toggles input").count() == 3


def test_the_palette_of_the_page_is_the_label_png_s(seen):
    page = seen.open()
    assert page.evaluate("auxseg.app.base.palette")[:3] == [[0, 0, 0], [128, 0, 0], [0, 128, 0]]


def test_panels_zoom_and_cursor_by_keyboard(seen):
    page = seen.open("image=t001")
    page.wait_for_selector("canvas[data-kind=label]")
    kinds = page.eval_on_selector_all("canvas", "found => found.map((canvas) => canvas.dataset.kind)")
    assert kinds == ["photo", "prior", "cam0", "cam", "saliency", "label", "prediction", "mask"]
    page.keyboard.press("Shift+Digit1")
    assert page.locator("canvas[data-kind=photo]").count() == 0
    page.keyboard.press("+")
    assert page.inner_text("#zoom-value") == "150 %" and "zoom=1.500" in seen.link()
    page.locator("canvas[data-kind=label]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    assert "pixel=46%2C40" in seen.link()  # from the middle, 45 and 30
    page.keyboard.press("z")
    page.keyboard.press("]")
    assert "zoom" not in seen.link() and "opacity=0.75" in page.url
    page.keyboard.press("n")
    seen.until("document.getElementById('title').textContent !== 't001'")
    assert page.locator("canvas[data-kind=photo]").count() == 0  # the choice of panels stays
    page.keyboard.press("Escape")
    assert page.locator("#viewer").is_hidden()


SECOND_FINGER = """() => {
    const canvas = document.querySelector("canvas[data-kind=label]");
    for (const name of ["pointerdown", "pointermove", "pointerup"])
        canvas.dispatchEvent(new PointerEvent(name, { pointerId: 9, isPrimary: false, clientX: 1, clientY: 1 }));
}"""


def test_wheel_keeps_the_point_under_the_pointer_in_all_panels(seen):
    page = seen.open("image=t002&panels=photo&panels=label")
    box = page.locator("canvas[data-kind=label]").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.55, box["y"] + box["height"] * 0.45)
    seen.until("document.getElementById('pixel-place').textContent")
    before = page.inner_text("#pixel-place")
    page.mouse.wheel(0, -600)
    seen.until("document.getElementById('zoom-value').textContent !== '100 %'")
    page.mouse.move(box["x"] + box["width"] * 0.55 + 0.2, box["y"] + box["height"] * 0.45)
    assert page.inner_text("#pixel-place") == before
    before = seen.link()
    page.mouse.down()
    page.evaluate(SECOND_FINGER)
    assert seen.link() == before
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3, steps=3)
    page.mouse.up()
    assert seen.link() != before and "pixel" not in page.url  # dragged, not clicked


def test_changes_since_the_last_round(seen, work):
    page = seen.open("image=t003")
    page.wait_for_selector("#change-rows tr")
    old, new = label(work, "t003", "r1"), label(work, "t003", "r2")
    shown = [row.split("\t") for row in page.locator("#change-rows").inner_text().splitlines()]
    cat = next(row for row in shown if row[0] == "cat")
    wanted = [
        ((old == 255) & (new == 1)).sum(),
        ((old == 1) & (new == 255)).sum(),
        ((old == 1) & (new != 1) & (new != 255)).sum(),
        ((old != 1) & (old != 255) & (new == 1)).sum(),
    ]
    assert cat[1:] == [f"{count:,}" for count in wanted]
    overlay, _ = painted(page, "change")
    assert (overlay[(old == 255) & (new != 255)] == [0, 158, 115, 255]).all()
    assert (overlay[old == new, 3] == 0).all()


def test_the_title_tells_what_the_image_is_tagged_with(seen, work, index):
    page = seen.open("image=t003")
    names = [CLASSES.with_background[tag] for tag in index["tags"][index["id"].index("t003")]]
    assert names and page.locator("#tags .chip").all_inner_texts() == names
    present = {CLASSES.with_background[value] for value in np.unique(label(work, "t003")) if value < 255}
    assert set(page.locator("#tags .missing").all_inner_texts()) == set(names) - present


def test_provenance_is_one_click_away(seen, work, index):
    page = seen.open("image=t003")
    page.click("#provenance summary")
    text = page.inner_text("#provenance-list")
    assert index["label"][index["id"].index("t003")] in text and "stage labels, data/labels/r2/" in text
    provenance = read_script(work / "audit/index/base.js")["provenance"]
    assert provenance["weights"]["r2"] in text
    assert "stage review, data/review/r1.csv" in text and provenance["reviews"]["r2"] in text
    assert '"a": 1' in page.inner_text("#provenance-params") and "numpy" in page.inner_text("#provenance-versions")
