"""The form of PNG masks that `data` describes: colours, or mask values with a background and a void of their own."""

from pathlib import Path

from auxseg.datasets.colour_png import read_colours
from auxseg.datasets.manifest import ClassTable
from auxseg.datasets.mask_form import MaskForm
from auxseg.encoded import IGNORE
from auxseg.errors import ParamsError
from auxseg.params.data import DataParams


def png_form(root: Path, params: DataParams, classes: ClassTable) -> MaskForm:
    """Return how the PNG masks of a data set are stored.

    Raises:
        DataError: the file of colours is missing or damaged.
        ParamsError: a class has no colour.
    """
    if params.has_plain_values:
        return MaskForm()
    if params.colours is not None:
        colours = read_colours(root / params.colours)
        if absent := [name for name in classes.names if name not in colours.values()]:
            raise ParamsError(
                f"params.yaml: key 'data.colours': {params.colours} has no colour of '{absent[0]}'; it has "
                f"{', '.join(list(colours.values())[:8])}; correct data.classes, or add the colour"
            )
        return MaskForm("colours", tuple((",".join(map(str, colour)), name) for colour, name in colours.items()))
    table = {value: "ignore" for value in params.void}
    if params.reduce_zero_label:
        table[0] = "ignore"
    if params.background is not None:
        table.setdefault(params.background, "background")
    table |= dict(zip(stored_values(params, classes), classes.names, strict=True))
    return MaskForm("values", tuple((str(value), name) for value, name in sorted(table.items())))


def stored_values(params: DataParams, classes: ClassTable) -> tuple[int, ...]:
    """Return the mask values of the classes in the files, which may start at 0."""
    return tuple(params.classes.values()) if isinstance(params.classes, dict) else classes.values


def own_table(params: DataParams, classes: ClassTable) -> ClassTable:
    """Return the class table with the values 1, 2, … where 0, the background of what is written, is a class's value."""
    if 0 not in stored_values(params, classes):
        return classes
    return ClassTable(classes.names, tuple(range(1, len(classes) + 1)))


def values_in_files(form: MaskForm, classes: ClassTable) -> tuple[int, ...] | None:
    """Return the mask values of the classes in the files; None where masks show a class by its name or colour."""
    if form.kind != "values":
        return None
    value_of = {name: int(value) for value, name in form.table}
    return tuple(value_of[name] for name in classes.names) if form.table else classes.values


def others_in_files(form: MaskForm, classes: ClassTable) -> frozenset[int]:
    """Return the mask values in the files that are no classes: those of the background and of ignored pixels."""
    if not form.table:
        return frozenset({0, IGNORE})
    return frozenset({IGNORE, *(int(value) for value, name in form.table if name not in classes.names)})
