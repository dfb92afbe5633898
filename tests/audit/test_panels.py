"""Colours, hatch and geometry of the pictures, pixel by pixel."""

import numpy as np
import pytest

from auxseg.audit import panels
from auxseg.encoded import PALETTE

PHOTO = np.full((40, 60, 3), 100, np.uint8)


@pytest.mark.parametrize(
    ("photo", "panel"),
    [
        ((375, 500), (160, 213)),
        ((500, 375), (160, 120)),
        ((100, 2000), (16, 320)),
        ((40, 30), (40, 30)),
        ((129, 640), (65, 320)),
    ],
)
def test_size_fits_and_never_grows(photo, panel):
    assert panels.panel_size(*photo) == panel


def test_class_has_its_colour_and_background_is_faded():
    label = np.zeros((40, 60), np.uint8)
    label[:, :20] = 7
    panel = panels.label_panel(label, PHOTO)
    expected = np.rint(0.3 * 100 + 0.7 * PALETTE[7]).astype(np.uint8)
    assert (panel[:, :20] == expected).all()
    assert (panel[:, 20:] == np.rint(0.45 * 100 + 0.55 * 255)).all()


@pytest.mark.parametrize("grey", [0, 100, 255])
def test_ignore_is_hatched_on_any_photo(grey):
    label = np.full((40, 60), 255, np.uint8)
    panel = panels.label_panel(label, np.full((40, 60, 3), grey, np.uint8))[..., 0].astype(int)
    assert panel.max() - panel.min() >= 150
    assert 0.45 < (panel > panel.mean()).mean() < 0.55
    assert (panel[:, :-8] == panel[:, 8:]).all()  # a regular pattern


def test_label_of_network_resolution_is_scaled_by_nearest_neighbour():
    panel = panels.label_panel(np.array([[1, 2]], np.uint8), PHOTO)
    assert len(np.unique(panel.reshape(-1, 3), axis=0)) == 2
    assert (panel[:, :30] == panel[0, 0]).all() and (panel[:, 30:] == panel[0, 59]).all()


def test_heat_shows_the_strongest_class():
    cam = np.zeros((2, 4, 6), np.float16)
    cam[1, :, 4:] = 2  # refined maps may exceed 1
    panel = panels.heat_panel(cam, PHOTO).astype(int)
    assert panel[20, 2, 2] > panel[20, 2, 0] and panel[20, 57, 0] > panel[20, 57, 2]  # blue, red
    assert (panels.heat_panel(cam[:0], PHOTO) == panel[20, 2]).all()


def test_change_has_the_colours_of_what_moved():
    before = np.array([[0, 255, 1, 1]], np.uint8).repeat(40, 0).repeat(15, 1)
    now = np.array([[0, 1, 255, 2]], np.uint8).repeat(40, 0).repeat(15, 1)
    panel = panels.change_panel(before, now, PHOTO)
    faded = np.rint(0.45 * 100 + 0.55 * 255)
    wanted = [np.full(3, faded), *(np.rint(0.3 * 100 + 0.7 * np.array(c)) for c in panels.CHANGE_COLOURS.values())]
    for column, colour in enumerate(wanted):
        assert np.abs(panel[:, column * 15 : (column + 1) * 15] - colour).max() <= 1


def test_sheet_goes_row_by_row_and_leaves_cells_dark():
    white = np.full((10, 20, 3), 255, np.uint8)
    sheet = panels.sheet([white, *[None] * panels.SHEET_COLUMNS, white])
    assert sheet.shape == (2 * panels.CELL_HEIGHT, panels.SHEET_COLUMNS * panels.CELL_WIDTH, 3)
    assert (sheet[:10, :20] == 255).all()
    assert (sheet[panels.CELL_HEIGHT :][:10, panels.CELL_WIDTH :][:, :20] == 255).all()
    assert (sheet == 255).sum() == 2 * white.size
