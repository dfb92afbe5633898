"""Pickled `.npy` files: code, bombs, and damage."""

import pickle
import struct
from pathlib import Path

from rows import Row, content, no_file

from auxseg.datasets.mask_file import read_numbers
from auxseg.datasets.tags import read_npy_tags
from auxseg.datasets.unpickle import load_object_npy
from auxseg.external.npy import read_npy_cams

HEADER = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"


def npy(body: bytes, header: bytes = HEADER) -> bytes:
    """Return a .npy file around a pickle."""
    header += b" " * (64 - (10 + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body


def array_of(shape: str, kind: str = "<f4") -> bytes:
    return npy(b"\0" * 64, f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode())


def saved(value: object) -> bytes:
    return npy(pickle.dumps(value))


def op(body: bytes) -> bytes:
    """Return a .npy file around opcodes of protocol 2."""
    return npy(b"\x80\x02" + body + b".")


def tags(path: Path):
    return read_npy_tags(path, {1: "cat"}, ["a", "1" * 5001])


def tensor(size: tuple[int, ...], stride: tuple[int, ...], count: int = 1) -> bytes:
    """Return the opcodes of a torch tensor on a storage of `count` floats."""
    kind = b"\x80\x02ctorch\nFloatStorage\n."
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)
    stored = magic + kind + pickle.dumps(["0"], 2) + struct.pack("<q", count) + b"\0" * 4 * count
    whole = b"ctorch._utils\n_rebuild_tensor_v2\n(ctorch.storage\n_load_from_bytes\n"
    whole += b"(c_codecs\nencode\n(" + _text(stored.decode("latin1")) + _text("latin1") + b"tRtR"
    for number in (0, size, stride, False, {}):
        whole += pickle.dumps(number, 2)[2:-1]
    return whole + b"tR"


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text.encode())) + text.encode()


def shared_lists(levels: int, width: int = 10) -> bytes:
    """Return lists of lists that are shared: width ** levels values in some bytes a level."""
    body = b"]K\x01aq\x00"
    for level in range(levels):
        body += b"0](" + b"h" + bytes([level]) + (b"h" + bytes([level])) * (width - 1) + b"eq" + bytes([level + 1])
    return body


def item(key: bytes, value: bytes) -> bytes:
    return b"}" + key + value + b"s"


CODE = {
    "os.system": b"cos\nsystem\n(" + _text("touch pwned") + b"tR",
    "builtins.eval": b"cbuiltins\neval\n(" + _text("1") + b"tR",
    "a name within numpy": b"cnumpy\nload\n(" + _text("x") + b"tR",
    "numpy's own loader of code": b"cnumpy.testing._private.utils\nrunstring\n)R",
    "code by protocol 4": b"\x8c\x02os\x8c\x06system\x93)R",
    "code in a storage": b"ctorch.storage\n_load_from_bytes\n(c_codecs\nencode\n("
    + _text("cos\nsystem\n.")
    + _text("latin1")
    + b"tRtR",
}


def row(name: str, data: bytes | str, line: str, read=load_object_npy) -> Row:
    return Row(name, read, content("a.npy", data), line)


ORDERED = b"ccollections\nOrderedDict\n"
NOT_READ = "could run code|not a readable|save"
MASKS = {
    "a pickle of code": (op(CODE["os.system"]), "holds Python objects, which are not read"),
    "a pickled array": (saved([[1]]), "holds Python objects"),
    "objects within a structure": (npy(b"", HEADER.replace(b"'|O'", b"[('a', '|O')]")), "holds Python objects"),
    "text": (array_of("(4, 4)", "<U1"), "values of type <U1"),
    "dates": (array_of("(2, 2)", "<M8[s]"), "values of type datetime64"),
    "complex numbers": (array_of("(2, 2)", "<c16"), "values of type complex128"),
    "134 megapixels and one row": (array_of("(16385, 8192)", "|u1"), "more than 134 megapixels"),
    "2^60 pixels": (array_of(f"(4, {2**58})", "|u1"), "more than 134 megapixels"),
    "a negative size": (array_of("(-4, -4)", "|u1"), "not a readable|no pixels"),
    "no pixels": (array_of("(0, 4)", "|u1"), "no pixels"),
    "100 megapixels that are not there": (array_of("(10000, 10000)", "<i8"), "announces an array .* is not there"),
    "a header of deep brackets": (array_of("(" * 9000, "|u1"), NOT_READ),
    "a header that is code": (array_of("__import__('os')", "|u1"), NOT_READ),
    "version 9": (b"\x93NUMPY\x09\x00" + b"\0" * 60, NOT_READ),
    "a web page": (b"<html>", NOT_READ),
    "nothing": (b"", NOT_READ),
    "values that are not numbers": (array_of("(4, 4)", "<f4")[:-64] + b"\xff" * 64, "nan in row 0, column 0"),
}

ROWS = [
    *no_file([("l.npy", load_object_npy), ("l.npy", tags), ("l.npy", read_npy_cams)]),
    *(row(f"mask: {name}", data, line, read_numbers) for name, (data, line) in MASKS.items()),
    *(row(f"pickle: {name}", op(body), NOT_READ) for name, body in CODE.items()),
    *(
        row(f"pickle: {levels} levels of shared lists", op(shared_lists(levels)), "stands for more than")
        for levels in (8, 12, 100)
    ),
    row("pickle: labels of shared lists", op(b"}" + _text("a") + shared_lists(9) + b"s"), "stands for more than", tags),
    row("pickle: CAMs of shared lists", op(b"}K\x00" + shared_lists(9) + b"s"), "stands for more than", read_npy_cams),
    row("pickle: a list that contains itself", op(b"]q\x00h\x00a"), "contains itself"),
    row("pickle: a dictionary that contains itself", op(b"}q\x00K\x01h\x00s"), "contains itself"),
    row("pickle: 100,000 nested lists", op(b"]" * 100_000 + b"a" * 99_999), "recursion"),
    row("pickle: 100,000 nested tuples", op(b")" + b"\x85" * 100_000), "recursion"),
    row("pickle: 100,000 nested tuples as a key", op(b"}" + b")" + b"\x85" * 100_000 + b"K\x01s"), "a tuple as a key"),
    row("pickle: shared tuples as a key", op(b"})" + b"2\x86" * 60 + b"K\x01s"), "a tuple as a key"),
    row("pickle: shared tuples as keys at once", op(b"}()" + b"2\x86" * 60 + b"K\x01u"), "a tuple as a key"),
    row("pickle: shared tuples in a mark's dictionary", op(b"()" + b"2\x86" * 60 + b"K\x01d"), "a tuple as a key"),
    row("pickle: shared tuples in a set", npy(b"\x80\x04()" + b"2\x86" * 60 + b"\x91."), "holds a set"),
    row(
        "pickle: shared tuples in an OrderedDict",
        op(b"ccollections\nOrderedDict\n(]()" + b"2\x86" * 60 + b"K\x01tatR"),
        "as a key",
    ),
    row("pickle: a memo of 2^31", op(b"Kr" + b"\xff\xff\xff\x7f" + b"j\1\0\0\0"), NOT_READ),
    row("pickle: 2^40 bytes announced", npy(b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"."), NOT_READ),
    row("pickle: a bytearray of 2^40", npy(b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"."), NOT_READ),
    row("pickle: a text of 2^31", op(b"X\xff\xff\xff\x7f"), NOT_READ),
    row("pickle: a frame of 2^60", npy(b"\x80\x04\x95" + struct.pack("<Q", 2**60) + b"N."), "not a dictionary", tags),
    row("pickle: a number of 5,001 digits", op(b"L" + b"1" * 5001 + b"L\n"), NOT_READ),
    row("pickle: attributes of a function", op(b"c_codecs\nencode\n}" + _text("x") + b"K\x01sb"), "fills a"),
    row("pickle: attributes of a class", op(b"cnumpy\ndtype\nN}" + _text("x") + b"K\x01s\x86b"), "fills a"),
    row("pickle: a persistent id", op(b"K\x01Q"), "outside the file"),
    row("pickle: an extension", op(b"\x82\x01"), NOT_READ),
    row("pickle: the stack is empty", op(b"aaaa"), NOT_READ),
    row("pickle: it is cut", npy(pickle.dumps({"a": [1]})[:-5]), NOT_READ),
    row("pickle: nothing", npy(b""), NOT_READ),
    row("pickle: a class", op(b"cnumpy\ndtype\n"), NOT_READ),
    row("tensor: stride 0 of 4 GB", op(tensor((2**15, 2**15), (0, 0))), "expanded"),
    row("tensor: CAM of stride 0", op(b"}K\x00" + tensor((2**15, 2**15), (0, 0)) + b"s"), "expanded", read_npy_cams),
    row("tensor: beyond its storage", op(tensor((9,), (1,))), "reaches beyond"),
    row("tensor: a negative stride", op(tensor((2,), (-1,))), "damaged torch tensor"),
    row("tensor: empty, with 2^70 columns", op(tensor((0, 2**70), (1, 1))), NOT_READ),
    row("array: 2^60 numbers announced", array_of(f"({2**60},)"), "is not there"),
    row("array: 2^120 numbers announced", array_of(f"({2**60}, {2**60})"), "is not there"),
    row("array: a negative size", array_of("(-1,)"), NOT_READ),
    row("array: 16 GB of 64 bytes", array_of("(4, 1073741824)"), "is not there"),
    row("array: a header that is code", array_of("__import__('os')"), NOT_READ),
    row("array: a header of deep brackets", array_of("(" * 9000), NOT_READ),
    row("array: version 9", b"\x93NUMPY\x09\x00" + b"\0" * 60, NOT_READ),
    row("array: a web page", "<html>", NOT_READ),
    row(
        "labels: a number of 400 digits as an id",
        npy(pickle.dumps({10**400: [7]})),
        "expected a vector of 0 and 1",
        tags,
    ),
    row(
        "labels: a number of 10,000 digits as an id",
        npy(pickle.dumps({1 << 40_000: [7]})),
        "40001 bits.*expected a vector",
        tags,
    ),
    row("labels: lists of other lengths", npy(pickle.dumps({"a": [[1], [1, 2]]})), "vector of 0 and 1", tags),
    row("labels: a list", npy(pickle.dumps([1])), "not a dictionary", tags),
    row("CAMs: text", npy(pickle.dumps({0: "x" * 10_000})), "two-dimensional", read_npy_cams),
    row("CAMs: names of 1 MB", npy(pickle.dumps({"x" * 2**20: 1})), "not {class: map}", read_npy_cams),
    row("CAMs: keys without maps", npy(pickle.dumps({"keys": [1]})), "one map per key", read_npy_cams),
]
