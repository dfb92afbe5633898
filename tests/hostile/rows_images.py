"""Images, masks, maps and members of archives."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile
from changed_bytes import PNG, Parts
from PIL import Image
from rows import Row, content, no_file

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.atomic import sha256_file
from auxseg.datasets.colour_png import packed_colours
from auxseg.datasets.deep_images import Reading, depth_of, read_image
from auxseg.datasets.mask_file import read_numbers
from auxseg.encoded import decode_grey, decode_indices, encode_label
from auxseg.images import read_rgb
from auxseg.png_files import read_channel_png, read_grey_png, read_index_png, read_palette


def deep(path: Path):
    return read_image(path, Reading(12, None))


def banded(path: Path):
    return read_image(path, Reading(None, (3, 2, 1)))


def alpha(path: Path):
    return read_channel_png(path, "alpha")


def member(path: Path):
    """Read a file as the member of an archive of saliency maps."""
    packed = path.with_name("packed.zip")
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(path, "a.png")
    return decode_grey(Archive(packed)["a.png"])


def cut_member(path: Path):
    return decode_indices(path.read_bytes())


def encoded(kind: str, mode: str = "RGB", **options) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n{} loop\n%%EOF\n"
FOREIGN = {
    "EPS that loops": EPS,
    "EPS in a DOS wrapper": struct.pack("<IIIIIII", 0xC6D3D0C5, 32, len(EPS), 0, 0, 0, 0) + b"\0" * 4 + EPS,
    "damaged AVIF": b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B" + b"\xff" * 64,
    "damaged DDS": b"DDS " + struct.pack("<I", 124) + b"\xff" * 120,
    "damaged BLP1": b"BLP1" + b"\xff" * 200,
    "damaged BLP2": b"BLP2" + b"\0" * 200,
    "damaged SPIDER": struct.pack(">27f", *[1.0] * 27) + b"\0" * 400,
    "damaged ICNS": b"icns" + struct.pack(">I", 32) + b"ic10" + struct.pack(">I", 24) + b"\xff" * 16,
    "damaged ICO": b"\0\0\1\0\1\0" + b"\xff" * 40,
    "damaged PSD": b"8BPS\0\1" + b"\xff" * 60,
    "damaged JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + b"\xff" * 60,
    "damaged FITS": b"SIMPLE  =                    T" + b" " * 100,
    "damaged PCX": b"\n\5\1\x08" + b"\xff" * 130,
    "damaged SGI": b"\x01\xda\1\1" + b"\xff" * 600,
    "WMF": b"\xd7\xcd\xc6\x9a\0\0" + b"\0" * 60,
    "XPM": b"/* XPM */ static char *a[] = {",
    "PDF": b"%PDF-1.4\n%\xff\xff",
    "a web page": b"<!doctype html><title>404</title>",
    "nothing": b"",
    "a zip": b"PK\3\4" + b"\0" * 40,
}


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that says it is large, with one compressed row."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * (width + 1))) + chunk(b"IEND", b"")


def jpeg_header(width: int, height: int) -> bytes:
    small = encoded("JPEG")
    start = small.index(b"\xff\xc0") + 5
    return small[:start] + struct.pack(">HH", height, width) + small[start + 4 :]


def tiff_header(width: int, height: int) -> bytes:
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    entries += [(273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 10)]
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + b"\0" * 14


def tiff_pages(number: int) -> bytes:
    """Return a TIFF of many pages without pixels, each said to be a reduced copy of another."""
    entries = [(254, 4, 1, 1), (256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    entries += [(273, 4, 1, 2**31), (277, 3, 1, 1), (278, 4, 1, 8), (279, 4, 1, 64)]
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    size = 6 + len(body)
    pages = (
        struct.pack("<H", len(entries)) + body + struct.pack("<I", 8 + size * page if page < number else 0)
        for page in range(1, number + 1)
    )
    return b"II*\0" + struct.pack("<I", 8) + b"".join(pages)


def tiff_parts(*shares: float) -> list[tuple[float, bytes]]:
    whole = encoded("TIFF", "L", compression="tiff_lzw")
    return [(share, whole[: int(len(whole) * share)]) for share in shares]


LARGE = {
    "PNG of 13,000 x 13,000": png_header(13_000, 13_000),
    "PNG of 100,000 x 100,000": png_header(100_000, 100_000),
    "PNG of 2^31 x 2^31": png_header(2**31 - 1, 2**31 - 1),
    "JPEG of 12,000 x 12,000": jpeg_header(12_000, 12_000),
    "JPEG of 65,000 x 65,000": jpeg_header(65_000, 65_000),
    "BMP of 60,000 x 60,000": b"BM"
    + struct.pack("<IHHI", 100, 0, 0, 54)
    + struct.pack("<IiiHHIIiiII", 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0),
    "PPM of 40,000 x 40,000": b"P6\n40000 40000\n255\n",
    "GIF of 65,000 x 65,000": b"GIF89a"
    + struct.pack("<HH", 65_000, 65_000)
    + b"\x80\0\0"
    + b"\0" * 6
    + b","
    + struct.pack("<HHHHB", 0, 0, 65_000, 65_000, 0)
    + b"\2\2L\1\0;",
    "TIFF of 50,000 x 50,000": tiff_header(50_000, 50_000),
}


def chunks(change: Callable[[Parts], Parts]) -> bytes:
    """Return a label PNG whose chunks were changed; their checksums are right."""
    return PNG.join(change(PNG.split(encode_label(np.zeros((3, 4), np.uint8)))))


def tiff(**options) -> bytes:
    """Return a TIFF of one band of 16 bits, as tifffile writes it."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.zeros((16, 20), np.uint16), photometric="minisblack", **options)
    return stream.getvalue()


def tag(number: int, change: Callable[[bytes], bytes]) -> bytes:
    """Return such a TIFF with another entry for a tag: number, type and count, 2, 2 and 4 bytes, then the value."""
    whole = tiff()
    at = whole.index(struct.pack("<H", number), 8)
    return whole[:at] + change(whole[at : at + 12]) + whole[at + 12 :]


DAMAGE = r"not a readable image|truncated or damaged|damaged"


def damaged() -> list[Row]:
    rows = []
    for kind, options in (("PNG", {}), ("JPEG", {}), ("BMP", {}), ("WEBP", {}), ("TIFF", {"compression": "tiff_lzw"})):
        whole = encoded(kind, **options)
        for share in (0.02, 0.4, 0.9):
            part = whole[: int(len(whole) * share)]
            rows.append(Row(f"{kind}, {share:.0%} of it", read_rgb, content(f"a.{kind.lower()}", part), DAMAGE))
    return rows


ROWS = [
    *no_file(
        [
            ("a.jpg", read_rgb),
            ("a.tif", deep),
            ("a.tif", banded),
            ("a.tif", depth_of),
            ("a.png", read_index_png),
            ("a.png", read_grey_png),
            ("a.png", alpha),
            ("a.png", read_palette),
            ("a.tif", read_numbers),
            ("a.npy", read_numbers),
            ("a.png", packed_colours),
            ("a.zip", Archive),
        ]
    ),
    *(
        Row(f"{read.__name__}: {kind} in {name}", read, content(name, data), "not a readable image")
        for kind, data in FOREIGN.items()
        for name, read in (
            ("x.jpg", read_rgb),
            ("x.png", read_index_png),
            ("x.tif", read_numbers),
            ("x.png", member),
        )
    ),
    *(
        Row(f"{read.__name__}: {kind}", read, content(name, data), r"more than 134 megapixels|save it in that form")
        for kind, data in LARGE.items()
        for name, read in (("x.jpg", read_rgb), ("x.png", member), ("x.png", packed_colours))
        if read is not packed_colours or kind.startswith("PNG")
    ),
    Row(
        "mask: TIFF of 50,000 x 50,000", read_numbers, content("x.tif", LARGE["TIFF of 50,000 x 50,000"]), "megapixels"
    ),
    Row(
        "mask: TIFF of 10,000 pages", read_numbers, content("x.tif", tiff_pages(10_000)), "truncated or damaged|pixels"
    ),
    *(
        Row(f"mask: TIFF, {share:.0%} of it", read_numbers, content("a.tif", part), DAMAGE)
        for share, part in tiff_parts(0.02, 0.4, 0.9)
    ),
    Row("banded: TIFF of 50,000 x 50,000", banded, content("x.tif", LARGE["TIFF of 50,000 x 50,000"]), "megapixels"),
    *damaged(),
    Row(
        "a member that is cut",
        cut_member,
        content("a.png", encoded("PNG")[:-60]),
        "damaged",
    ),
    # from here on, what changed copies of valid files found (test_fuzz)
    Row(
        "the palette of a PNG whose pixels are damaged",
        read_palette,
        content("a.png", chunks(lambda parts: [*parts[:3], b"IDAT\xeb" + parts[3][5:], *parts[4:]])),
        "truncated or damaged image",
    ),
    Row(
        "the alpha of a PNG with its palette before its header",
        alpha,
        content("a.png", chunks(lambda parts: [parts[0], parts[2], parts[1], *parts[3:]])),
        "truncated or damaged image",
    ),
    Row(
        "a TIFF with two widths",
        banded,
        content("a.tif", tag(256, lambda entry: entry[:4] + b"\2" + entry[5:])),
        "not readable",
    ),
    Row(
        "a TIFF of values without their size",
        banded,
        content("a.tif", tag(258, lambda entry: b"\2\x25" + entry[2:])),
        "has 1 band, but data.bands names band 3",
    ),
    Row(
        "a TIFF of damaged deflate",
        banded,
        content("a.tif", tiff(compression="zlib").replace(b"\x78\x9c", b"\x79\x9c", 1)),
        "not readable \\(.*BAD_DATA",
    ),
    Row("a zip that is none", Archive, content("a.zip", "PK, but not really"), "not a readable zip"),
    Row("an image of 5,001 digits", read_rgb, lambda folder: folder / ("1" * 5001 + ".jpg"), "cannot be read"),
    Row("a NUL in the name", read_rgb, lambda folder: folder / "a\0b.jpg", "cannot be read"),
    Row("ESC in the name", read_rgb, content("a\x1b[31m.jpg", b""), r"a\\x1b\[31m\.jpg: not a readable image"),
    Row("U+2028 in the name", read_rgb, content("a\u2028b.jpg", b""), r"a\\u2028b\.jpg: not a readable image"),
    Row("line break in the name", read_rgb, content("a\nb.jpg", b""), r"a\\nb\.jpg: not a readable image"),
    Row("hash of a FIFO", sha256_file, no_file([("a.jpg", sha256_file)])[0].build, "a FIFO"),
]
