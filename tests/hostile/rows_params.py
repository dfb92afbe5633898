"""params.yaml, presets, params.local.yaml, and weights of other programs."""

import itertools
import struct
from pathlib import Path

import numpy as np
from mxnet_file import file_bytes
from rows import Row, content, no_file

from auxseg.models.mxnet_params import read_mxnet_params
from auxseg.params.dag import read_params
from auxseg.params.data import DataParams
from auxseg.params.yaml_file import read_yaml


def data(path: Path):
    return DataParams.parse(read_yaml(path))


def yaml(name: str, text: str | bytes, line: str, read=read_yaml) -> Row:
    return Row(f"YAML: {name}", read, content("p.yaml", text), line)


def aliases(levels: int, item: str = "1") -> str:
    names = [f"a{level}" for level in range(levels + 1)]
    start = f"{names[0]}: &{names[0]} [{item}]\n"
    return start + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in itertools.pairwise(names))


def mxnet(name: str, data: bytes, line: str = "not an MXNet .params file") -> Row:
    return Row(f"MXNet: {name}", read_mxnet_params, content("w.params", data), line)


def one_array(*sizes: int, elements: bytes = b"") -> bytes:
    """Return a file with an array that announces these sizes."""
    whole = struct.pack("<QQQ", 0x112, 0, 1) + struct.pack("<IiI", 0xF993FAC9, 0, len(sizes))
    whole += struct.pack(f"<{len(sizes)}q", *sizes) + struct.pack("<iii", 1, 0, 0)
    return whole + elements + struct.pack("<QQ", 1, 1) + b"a"


ROUNDS = "rounds: {r1: r0}\nlabel_rounds: [r0, r1]\n"
WHOLE = file_bytes({"arg:a": np.ones((2, 3), np.float32)})

ROWS = [
    *no_file([("p.yaml", read_yaml), ("p.yaml", read_params), ("w.params", read_mxnet_params)]),
    yaml("9 levels of aliases", aliases(9), "more than 100000 values, when the aliases are written out"),
    yaml("60 levels of aliases", aliases(60), "more than 100000 values"),
    yaml(
        "aliases in merges",
        "a: &a {x: 1}\n"
        + "".join(
            f"b{i}: &b{i} {{<<: [{', '.join(['*' + ('a' if not i else f'b{i - 1}')] * 9)}]}}\n" for i in range(12)
        ),
        "more than 100000 values",
    ),
    yaml("an alias of itself", "a: &a [*a]", "contains itself"),
    yaml("a map of itself", "a: &a {b: *a}", "contains itself"),
    yaml("5,000 brackets", "a: " + "[" * 5000 + "]" * 5000, "nested too deeply"),
    yaml("5,000 braces", "a: " + "{a: " * 5000, "nested too deeply"),
    yaml("5,000 lists in a line", "- " * 5000 + "a", "nested too deeply"),
    yaml("5,000 keys in a line", "? " * 5000 + "a", "nested too deeply"),
    yaml("a number of 400 digits", "a: " + "9" * 400, "line 1: not YAML \\(a number of 400 characters\\)"),
    yaml("a negative number of 400 digits", "a: -" + "9" * 400, "a number of 401 characters"),
    yaml("a number of 5,001 digits", "a: " + "9" * 5001, "a number of 5001 characters"),
    yaml("a hexadecimal number of 3,000 digits", "a: 0x" + "f" * 3000, "a number of 3002 characters"),
    yaml("a binary number of 2,000 digits", "a: 0b" + "1" * 2000, "a number of 2002 characters"),
    yaml("600 sixtieths", "a: 1" + ":59" * 600, "a number of 1801 characters"),
    yaml("2 MB", "a: " + "x" * 2**21, "larger than 1 MB"),
    yaml("another encoding", b"a: \xff", "not a UTF-8 text"),
    yaml("UTF-16, which DVC does not read", "a: 1".encode("utf-16"), "not a UTF-8 text"),
    yaml("NUL", b"a: \0", "not YAML"),
    yaml("ESC", "a: \x1b[31m", "not YAML"),
    yaml("ESC, escaped", 'tags: "\\e[31m"', r"got '\\x1b\[31m'|got '\\\\x1b\[31m'", data),
    yaml("U+2028, escaped", 'tags: "a\\Lb"', r"got 'a\\+u2028b'", data),
    yaml("a value of 100 kB", "tags: " + "x" * 10**5, "got 'x+(…|\\.\\.\\.)x+'$", data),
    yaml("a key of 100 kB", "x" * 10**5 + ": 1", "not YAML|unknown key 'data\\.x+…x+'", data),
    yaml("a list of 1,000", "tags: [" + "1, " * 1_000 + "1]", "got \\[1, 1, 1, 1, 1, 1, 1, 1, \\.\\.\\.\\]", data),
    yaml("a key twice", "a: 1\na: 2", "key 'a' is already in line 1"),
    yaml("a long key twice", f"{'a' * 900}: 1\n{'a' * 900}: 2", "key 'a+…a+' is already in line 1"),
    yaml("a list as a key", "? [a, b]\n: 1", "unhashable key"),
    yaml("an object of Python", "a: !!python/object/apply:os.system [x]", "could not determine a constructor"),
    yaml("a boolean that is none", "a: !!bool x", "put that value in quotes"),
    yaml("a number without digits", 'a: !!int ""', "put that value in quotes"),
    yaml("a time that is none", "a: !!timestamp x", "put that value in quotes"),
    yaml("a day that is none", "a: 2024-02-30", "put that value in quotes"),
    yaml("base64 that is none", "a: !!binary ä", "base64"),
    yaml("a tab", "a:\n\t- b", "not YAML"),
    yaml("a quote that is not closed", "a: 'b", "not YAML"),
    yaml("two documents", "a: 1\n---\nb: 2", "not YAML"),
    yaml("an unknown alias", "a: *b", "undefined alias"),
    yaml("a list at the top", "[1]", "expected a mapping", read_params),
    yaml("nothing", "", "expected a mapping", read_params),
    yaml("a round of 100 kB", "rounds: {" + "r" * 100_000 + ": r0}", "got|not YAML", read_params),
    yaml(
        "1,000 shards",
        ROUNDS + "shards: [" + "a, " * 1_000 + "a]",
        "shards",
        read_params,
    ),
    mxnet("an array of 2^120 elements", one_array(2**60, 2**60), "more than fit"),
    mxnet("no elements, with a side of 2^62", one_array(0, 2**62), "more than fit"),
    mxnet("no elements, with sides of 2^62", one_array(0, 2**62, 2**62), "more than fit"),
    mxnet("a negative size", one_array(-1)),
    mxnet("33 dimensions", one_array(*[1] * 33), "rank 33"),
    mxnet("2^60 arrays", struct.pack("<QQQ", 0x112, 0, 2**60), "entries announced"),
    mxnet("a name of 2^62 bytes", WHOLE[:-13] + struct.pack("<Q", 2**62)),
    *(mxnet(f"{size} bytes of it", WHOLE[:size]) for size in range(0, len(WHOLE), 9)),
    mxnet("a web page", b"<!doctype html><html>" + b" " * 60),
]
