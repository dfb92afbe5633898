"""Label Studio's run lengths of a brush region: a bit stream that its editor packs and unpacks.

Head: number of values (32 bits), bits per value - 1 (5 bits), and four sizes of run lengths - 1 (4 bits each). Then,
for each run: 1, which of the four sizes (2 bits), the length - 1 in that size, the value. The values are those of an
RGBA image in raster order; the editor reads the alpha channel.
"""

import numpy as np

SIZES = (3, 4, 8, 16)
"""Bits of a run length."""
WORD = 8
"""Bits of a value."""


def encode_brush(region: np.ndarray) -> list[int]:
    """Return the bytes, 0..255 each, of a region, bool (H, W)."""
    flat = np.repeat(region.ravel(), 4)
    ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]) + 1, flat.size)
    lengths = np.diff(ends, prepend=0)
    value = bool(flat[0])
    bits = [f"{flat.size:032b}", f"{WORD - 1:05b}", *(f"{size - 1:04b}" for size in SIZES)]
    for length in lengths.tolist():
        while length:
            piece = min(length, 1 << SIZES[-1])
            kind = next(number for number, size in enumerate(SIZES) if piece <= 1 << size)
            bits.append(f"1{kind:02b}{piece - 1:0{SIZES[kind]}b}{255 if value else 0:0{WORD}b}")
            length -= piece
        value = not value
    stream = "".join(bits)
    stream += "0" * (-len(stream) % 8)
    return list(int(stream, 2).to_bytes(len(stream) // 8, "big"))
