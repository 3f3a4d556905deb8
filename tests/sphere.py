"""Writes NIST SPHERE files, plain or with Shorten, as the LDC distributes them."""

import numpy as np


def encode(samples, rate, coding="pcm"):
    """A file of one channel in 16 bits; ``"big-endian"`` is plain, too. Other codings get the plain bytes."""
    values = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2")
    order = "10" if coding == "big-endian" else "01"
    body = _shorten(values) if "shorten" in coding else values.astype(">i2" if order == "10" else "<i2").tobytes()
    name = "pcm" if coding == "big-endian" else coding
    fields = [
        "database_id -s8 TIDIGITS",
        "channel_count -i 1",
        f"sample_count -i {len(values)}",
        f"sample_rate -i {rate}",
        "sample_n_bytes -i 2",
        f"sample_byte_format -s2 {order}",
        "sample_sig_bits -i 16",
        f"sample_coding -s{len(name)} {name}",
        "end_head",
    ]
    return "\n".join(["NIST_1A", "   1024", *fields, ""]).encode().ljust(1024) + body


class _Bits:
    """A stream of bits in the variable-length codes of Shorten (Robinson 1994)."""

    def __init__(self):
        self.bits = []

    def unsigned(self, value, width):
        """Rice code."""
        self.bits += [0] * (value >> width) + [1] + [value >> place & 1 for place in reversed(range(width))]

    def number(self, value):
        """A number of any size, after its width."""
        self.unsigned(value.bit_length(), 2)
        self.unsigned(value, value.bit_length())

    def signed(self, value, width):
        self.unsigned(~value << 1 | 1 if value < 0 else value << 1, width + 1)


def _shorten(values, block=256, width=9):
    """First differences, in version 2."""
    stream = _Bits()
    for field in (5, 1, block, 0, 0, 0):  # 16 bits little-endian, channels, block size; no prediction, mean or header
        stream.number(field)
    before = 0
    for start in range(0, len(values), block):
        part = [int(value) for value in values[start : start + block]]
        if len(part) < block:
            stream.unsigned(5, 2)  # another block size
            stream.number(len(part))
        stream.unsigned(1, 2)  # first differences
        stream.unsigned(width, 3)
        for value in part:
            stream.signed(value - before, width)
            before = value
    stream.unsigned(4, 2)  # the end
    bits = stream.bits + [0] * (-len(stream.bits) % 32)
    return b"ajkg\x02" + np.packbits(np.array(bits, np.uint8)).tobytes()
