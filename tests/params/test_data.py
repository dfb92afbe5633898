"""The section `data`: class tables that cannot be, each rejected in one line that names key and class."""

import pytest

from auxseg.errors import ParamsError
from auxseg.params.data import DataParams

ZERO = (
    "': mask value 0 of 'road' must be within 1..254, because 0 is the background (set data.background to null, or to "
    "its value, if it is not)"
)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({"road": 0}, ZERO),
        ({"road": 1, "sky": 255}, "': mask value 255 of 'sky' must be within 1..254, because 255 is ignored"),
        ({"road": 3, "sky": 3}, "': mask values of classes must be distinct"),
        (["road", "road"], "': class names must be distinct"),
        ({}, ".classes': must name 1 to 254 classes"),
    ],
)
def test_class_tables_that_cannot_be(classes, message):
    with pytest.raises(ParamsError) as error:
        DataParams.parse({"classes": classes})
    assert str(error.value) == f"params.yaml: key 'data{message}"


def test_a_value_that_is_not_a_number_names_the_class():
    with pytest.raises(ParamsError, match=r"^params.yaml: key 'data\.classes\.road': input should be .*, got 'x'"):
        DataParams.parse({"classes": {"road": "x"}})


def test_one_class_is_enough():
    assert DataParams.parse({"classes": ["road"]}).classes == ["road"]
    assert DataParams.parse({"classes": {"road": 9}}).classes == {"road": 9}
