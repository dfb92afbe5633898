"""Masks that contradict the image-level labels: listed among the report's tables, and told on its first screen."""

from report_data import ODD_ID, make
from report_reader import read_script, write

from auxseg.audit.pages import tables_page
from auxseg.datasets.contradictions import Contradiction, Contradictions


def test_masks_that_contradict_the_labels_are_listed(tmp_path):
    images = (Contradiction("007", "val", ("cat",), ()), Contradiction(ODD_ID, "train", (), ("cat", "<b>dog</b>")))
    page = tables_page(tmp_path, Contradictions(3, images, "2 of 3 masks contradict the <labels>"))
    assert "2 of 3 masks contradict the &lt;labels&gt;." in page and "data/contradictions.json" in page
    assert "<td>007</td><td>val</td><td>cat</td><td>-</td>" in page
    assert "<td>train</td><td>-</td><td>cat, &lt;b&gt;dog&lt;/b&gt;</td>" in page
    assert "against" not in tables_page(tmp_path, Contradictions(3))


def test_the_first_screen_is_told_of_contradictions(tmp_path):
    make(tmp_path, rounds=1, train=4, val=0)
    Contradictions(4, (Contradiction("t000", "train", ("cat",), ()),), "1 of 4 masks").write(
        tmp_path / "data/contradictions.json"
    )
    write(tmp_path)
    assert read_script(tmp_path / "audit/index/base.js")["contradictions"] == "1 of 4 masks."
