"""The pages as text; test_report.py parses those of a whole report."""

from auxseg.artifacts.tables import write_csv
from auxseg.audit.pages import tables_page
from auxseg.datasets.contradictions import Contradictions


def test_a_column_with_a_word_in_it_holds_no_number(tmp_path):
    write_csv(tmp_path / "classes.csv", ["class", "iou"], [["cat", "0.5"], ["1024", "0.25"], ["1_0", "0.125"]])
    page = tables_page(tmp_path, Contradictions(0))
    assert "1024" in page and "1,024" not in page and "1_0" in page
    assert page.count('class="number"') == 3  # of iou alone
