"""The class table: words for nothing are no classes unless somebody says so, and order means nothing in a map."""

import pytest

from auxseg.datasets.class_table import RESERVED, class_table
from auxseg.errors import DataError
from auxseg.params.data import DataParams


@pytest.mark.parametrize("word", ["none", "None", "N/A", " nan ", "NULL"])
def test_a_word_for_nothing_is_no_class(word):
    with pytest.raises(
        DataError, match=f"the labels have '{word}'; if it means that an image shows no object, leave it out"
    ):
        class_table(None, ("cat", word))


def test_a_class_that_is_listed_may_have_that_name():
    assert class_table(["cat", "nil"], ("cat", "nil")).names == ("cat", "nil")
    assert class_table({"none": 3}, ()).values == (3,)
    assert class_table(None, ("cat", "nonet", "nanny")).names == ("cat", "nonet", "nanny")


@pytest.mark.parametrize("word", [*RESERVED, "Background", "Ignore", "ALL"])
def test_words_of_result_tables_are_reserved_in_any_spelling(word):
    with pytest.raises(DataError, match=f"'{word}' cannot be a class name"):
        class_table([word, "cat"], ())


def test_the_order_of_a_map_means_nothing():
    """To DVC both are the same parameter, so they must give the same labels."""
    tables = [
        class_table(DataParams.parse({"format": "voc", "classes": classes}).classes, ())
        for classes in ({"dog": 12, "cat": 8}, {"cat": 8, "dog": 12})
    ]
    assert tables[0] == tables[1] and tables[0].names == ("cat", "dog")
