"""Numbers with their noun."""

import pytest

from auxseg.counts import and_more, are, counted


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (0, ("mask",), "0 masks"),
        (1, ("mask",), "1 mask"),
        (2, ("mask",), "2 masks"),
        (1, ("class", "classes"), "1 class"),
        (2, ("class", "classes"), "2 classes"),
        (1, ("image has", "images have"), "1 image has"),
        (3, ("image has", "images have"), "3 images have"),
    ],
)
def test_number_and_noun(number, words, text):
    assert counted(number, *words) == text


def test_more_of_a_kind():
    assert [and_more(number) for number in (0, 1, 2, 3)] == ["", "", " (and 1 more)", " (and 2 more)"]


def test_verb():
    assert [are(number) for number in (0, 1, 2)] == ["are", "is", "are"]
