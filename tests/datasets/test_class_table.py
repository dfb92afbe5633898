"""The class table: words for nothing are no classes unless somebody says so."""

import pytest

from auxseg.datasets.class_table import RESERVED, class_table
from auxseg.errors import DataError


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
