"""Changes of valid files, as hypothesis draws them: bits flipped, parts cut, inserted, doubled and spliced.

A file is changed as bytes, or as parts of its format, which are joined to a file with right lengths and checksums:
otherwise a change of a PNG or a zip tests its checksum and nothing else.
"""

import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import NamedTuple

from hypothesis import strategies as st

Parts = list[bytes]

TOKENS = (
    *(b"", b"\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0" * 8, b"\xff" * 8),
    *(b"0", b"-1", b"1e999", b"-0.0", b"NaN", b"Infinity", b"1.5", b"65536", b"2147483648", b"9" * 25, b"9" * 400),
    *(b"null", b"true", b'""', b'"a"', b"[]", b"{}", b"[[1]]", b'{"a": 1}', b"[" * 300, b"0x10", b"1_0", b"~"),
    *(b"\n", b"\r", b"\r\n", b"\t", b",", b";", b":", b'"', b"'", b"\\", b"/", b"../", b"#", b"&a ", b"*a", b"<<: "),
    *(b"\x1b[31m", b"\xe2\x80\xa8", b"\xc2\x85", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", "\uff11".encode()),
    *(b"\\ud800", b"\\u0000", b"<!DOCTYPE a>", b"</object>", b"<object>", b"a" * 300, b"x" * 140_000),
)
"""What is inserted: limits of numbers, words of the formats, and characters that break lines."""


class Form(NamedTuple):
    """How a file is taken apart and put together again."""

    split: Callable[[bytes], Parts]
    join: Callable[[Parts], bytes]


def _words(content: bytes) -> Parts:
    return re.findall(rb"[\w.+-]+|\s+|.", content, re.DOTALL)


def _chunks(content: bytes) -> Parts:
    parts, at = [content[:8]], 8
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        parts.append(content[at + 4 : at + 8 + size])
        at += 12 + size
    return parts


def _png(parts: Parts) -> bytes:
    chunks = [struct.pack(">I", max(0, len(one) - 4)) + one + struct.pack(">I", zlib.crc32(one)) for one in parts[1:]]
    return b"".join([*parts[:1], *chunks])


def _members(content: bytes) -> Parts:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return [name.encode() + b"\0" + archive.read(name) for name in archive.namelist()]


def _zip(parts: Parts) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for part in parts:
            name, _, content = part.partition(b"\0")
            with warnings.catch_warnings():  # a name may be there twice
                warnings.simplefilter("ignore")
                archive.writestr(zipfile.ZipInfo(name[:60_000].decode("latin1")), content)
    return stream.getvalue()


def _tensors(content: bytes) -> Parts:
    end = 8 + struct.unpack_from("<Q", content)[0]
    return [content[end:], *_words(content[8:end])]


def _safetensors(parts: Parts) -> bytes:
    header = b"".join(parts[1:])
    return struct.pack("<Q", len(header)) + header + b"".join(parts[:1])


BYTES = Form(lambda content: [content], b"".join)
TEXT = Form(_words, b"".join)
PNG = Form(_chunks, _png)
ZIP = Form(_members, _zip)
TENSORS = Form(_tensors, _safetensors)


class Step(NamedTuple):
    """One change: what, where in the file, where in the part, and with which value."""

    kind: str
    part: int
    place: int
    value: int


_STEPS: dict[str, Callable[[bytes, int, int], bytes]] = {
    "flip": lambda part, at, value: part[:at] + bytes([part[at] ^ (1 << value % 8)]) + part[at + 1 :] if part else part,
    "set": lambda part, at, value: part[:at] + bytes([value % 256]) + part[at + 1 :],
    "cut": lambda part, at, value: part[:at] + part[at + 1 + value % 64 :],
    "end": lambda part, at, value: part[:at],
    "insert": lambda part, at, value: part[:at] + TOKENS[value % len(TOKENS)] + part[at:],
    "overwrite": lambda part, at, value: (
        part[:at] + TOKENS[value % len(TOKENS)] + part[at + len(TOKENS[value % len(TOKENS)]) :]
    ),
    "double": lambda part, at, value: part[: at + 1 + value % 64] + part[at:],
    "replace": lambda part, at, value: TOKENS[value % len(TOKENS)],
}
"""Changes within a part."""
_LISTS: dict[str, Callable[[Parts, int, int], Parts]] = {
    "remove": lambda parts, at, value: parts[:at] + parts[at + 1 + value % 4 :],
    "again": lambda parts, at, value: parts[: at + 1 + value % 16] + parts[at:],
    "swap": lambda parts, at, value: parts[:at] + parts[at : at + 2][::-1] + parts[at + 2 :],
}
"""Changes of the parts themselves."""

STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from([*_STEPS, *_LISTS, "splice"]),
        st.integers(0, 2**16 - 1),
        st.integers(0, 2**16 - 1),
        st.integers(0, 2**16 - 1),
    ),
    min_size=1,
    max_size=4,
)


def changed(parts: Parts, steps: Sequence[Step], other: Parts) -> Parts:
    """Return parts after all steps; `other` are those of a second valid file."""
    for step in steps:
        at = step.part * len(parts) >> 16
        if step.kind in _LISTS:
            parts = _LISTS[step.kind](parts, at, step.value)
        elif step.kind == "splice":
            parts = parts[:at] + other[step.value * len(other) >> 16 :]
        elif parts:
            place = step.place * len(parts[at]) >> 16
            parts = [*parts[:at], _STEPS[step.kind](parts[at], place, step.value), *parts[at + 1 :]]
    return parts


class Change(NamedTuple):
    """How a file is made of two valid ones, given by their numbers. It is what a failed test prints."""

    seed: int
    other: int
    as_bytes: bool
    steps: tuple[Step, ...]

    def apply(self, seeds: Sequence[bytes], form: Form) -> bytes:
        """Return the changed file."""
        used = BYTES if self.as_bytes else form
        first, second = (used.split(seeds[one % len(seeds)]) for one in (self.seed, self.other))
        return used.join(changed(first, self.steps, second))


CHANGES = st.builds(
    Change, st.integers(0, 11), st.integers(0, 11), st.sampled_from([False, False, True]), STEPS.map(tuple)
)
