"""The class table that `data.classes` asks for."""

from collections.abc import Mapping, Sequence

from auxseg.datasets.manifest import NEGATIVE, SEPARATOR, ClassTable
from auxseg.datasets.spelling import fold
from auxseg.errors import CONTROLS, DataError, ParamsError

RESERVED = (NEGATIVE, "all", "ignore", "_background_", "__ignore__")
"""Names that result tables and labelme use for class 0, the whole label and 255."""
NOTHING = ("none", "null", "nan", "n/a", "na", "nil")
"""What tables have for an image without any object; as a class name it must be in data.classes."""


def class_table(classes: Mapping[str, int] | Sequence[str] | None, own: Sequence[str]) -> ClassTable:
    """Return the class table of `data.classes`; None: the format's `own` names with mask values 1, 2, …

    Raises:
        ParamsError: a list would change the mask value of one of the format's own classes.
        DataError: there is no class, there are more than 254, a name cannot be stored, or one of `own` means "none".
    """
    if isinstance(classes, Mapping):
        table = ClassTable(tuple(classes), tuple(classes.values()))
    else:
        names = tuple(own if classes is None else classes)
        if classes is None and (nothing := [name for name in names if fold(name) in NOTHING]):
            raise DataError(
                f"data.classes: the labels have '{nothing[0]}'; if it means that an image shows no object, leave it "
                "out (a folder of such images is called background); otherwise list all classes there, "
                f"'{nothing[0]}' too"
            )
        table = ClassTable(names, tuple(range(1, len(names) + 1)))
        _check_values(table, own)
    if not 1 <= len(table) <= 254:
        raise DataError(f"data.classes: {len(table)} classes, but an 8-bit mask holds 1 to 254; list them there")
    for name in table.names:
        is_one_line = name.strip() and name == name.strip() and not CONTROLS.search(name)
        if not is_one_line or SEPARATOR in name or fold(name) in RESERVED:
            raise DataError(
                f"data.classes: '{name}' cannot be a class name; use text without '{SEPARATOR}', outer "
                f"spaces and control characters, and none of {', '.join(RESERVED)}, which result tables use"
            )
    return table


def _check_values(table: ClassTable, own: Sequence[str]) -> None:
    values = {name: position for position, name in enumerate(own, 1)}
    if any(values.get(name, value) != value for name, value in zip(table.names, table.values, strict=True)):
        pairs = ", ".join(f"{name}: {values.get(name, '?')}" for name in table.names)
        raise ParamsError(
            "params.yaml: key 'data.classes': a list gives the mask values 1, 2, …, but this format's classes have "
            f"other ones; write names with the values of your masks: {{{pairs}}}"
        )
