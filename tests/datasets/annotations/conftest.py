"""A data set in the form of an annotation tool, opened."""

import pytest
from exports import Opened


@pytest.fixture
def opened(tmp_path):
    """Return a function that opens the data set in `tmp_path` with parameters of `data`."""
    return lambda **data: Opened(tmp_path, **data)
