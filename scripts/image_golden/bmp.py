"""BMP: every depth, header and bit field; run lengths; broken ones."""

import struct


def bmp(width, height, bits, body, *, compression=0, palette=b"", colors=0, header=40, masks=b"", offset=None):
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(body), 0, 0, colors, 0)
        info = struct.pack("<I", header) + info[4:]
        if header > 40:
            info += masks.ljust(header - 40, b"\0")
            masks = b""
    start = 14 + len(info) + len(masks) + len(palette)
    head = b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start if offset is None else offset)
    return head + info + masks + palette + body


def bmps(rng):
    def rows(width, height, bits):
        return rng.randbytes((width * bits + 31) // 32 * 4 * height)

    for bits in (1, 4, 8, 16, 24, 32):
        palette = rng.randbytes(4 << bits) if bits <= 8 else b""
        core = rng.randbytes(3 << bits) if bits <= 8 else b""
        for width, height in ((13, 11), (1, 1), (1, 5), (5, 1)):
            yield f"{bits}bit-{width}x{height}.bmp", bmp(width, height, bits, rows(width, height, bits), palette=palette)
        yield f"{bits}bit-top-down.bmp", bmp(7, -5, bits, rows(7, 5, bits), palette=palette)
        yield f"{bits}bit-core.bmp", bmp(7, 5, bits, rows(7, 5, bits), palette=core, header=12)
        yield f"{bits}bit-no-offset.bmp", bmp(7, 5, bits, rows(7, 5, bits), palette=palette, offset=0)
        yield f"{bits}bit-cut.bmp", bmp(7, 5, bits, rows(7, 5, bits)[:-5], palette=palette)
    gray = b"".join(bytes([i, i, i, 0]) for i in range(256))
    yield "gray.bmp", bmp(9, 7, 8, rows(9, 7, 8), palette=gray)
    yield "black-white.bmp", bmp(9, 7, 1, rows(9, 7, 1), palette=b"\0\0\0\0\xff\xff\xff\0")
    yield "white-black.bmp", bmp(9, 7, 1, rows(9, 7, 1), palette=b"\xff\xff\xff\0\0\0\0\0")
    yield "few-colors.bmp", bmp(9, 7, 8, rows(9, 7, 8), palette=rng.randbytes(40), colors=10)
    yield "many-colors.bmp", bmp(9, 7, 8, rows(9, 7, 8), palette=rng.randbytes(4 * 300), colors=300)
    yield "padding-cut.bmp", bmp(9, 7, 24, rows(9, 7, 24)[:-1])
    layouts = {
        16: [(0xF800, 0x7E0, 0x1F), (0x7C00, 0x3E0, 0x1F), (0xF00, 0xF0, 0xF)],
        24: [(0xFF0000, 0xFF00, 0xFF)],
        32: [
            (0xFF0000, 0xFF00, 0xFF), (0xFF000000, 0xFF0000, 0xFF00), (0xFF000000, 0xFF00, 0xFF), (0, 0, 0),
            (0xFF, 0xFF00, 0xFF0000),
        ],
    }
    alphas = {(0xFF0000, 0xFF00, 0xFF): 0xFF000000, (0xFF, 0xFF00, 0xFF0000): 0xFF000000}
    for bits, kinds in layouts.items():
        for i, kind in enumerate(kinds):
            masks = struct.pack("<III", *kind)
            body = rows(6, 5, bits)
            yield f"fields-{bits}-{i}.bmp", bmp(6, 5, bits, body, compression=3, masks=masks)
            for header in (52, 56, 108, 124):
                alpha = struct.pack("<I", alphas.get(kind, 0))
                data = bmp(6, 5, bits, body, compression=3, masks=masks + alpha, header=header)
                yield f"fields-{bits}-{i}-v{header}.bmp", data
    run = b"\x05\x21\x00\x03\x01\x02\x03\x00\x00\x00\x03\x44\x00\x02\x01\x01\x09\x10\x00\x00\x20\x55\x00\x01"
    palette = rng.randbytes(1024)
    for width, height in ((8, 3), (8, 4), (13, 2)):
        yield f"rle8-{width}x{height}.bmp", bmp(width, height, 8, run, compression=1, palette=palette)
        yield f"rle4-{width}x{height}.bmp", bmp(width, height, 4, run, compression=2, palette=palette[:64])
    full = b"".join(bytes([8, i]) + b"\0\0" for i in range(5)) + b"\0\1"
    yield "rle8-full.bmp", bmp(8, 5, 8, full, compression=1, palette=palette)
    yield "rle8-gray.bmp", bmp(8, 5, 8, full, compression=1, palette=gray)
    yield "rle4-full.bmp", bmp(8, 5, 4, full, compression=2, palette=palette[:64])
    yield "jpeg-inside.bmp", bmp(8, 5, 24, full, compression=4)
    yield "2bit.bmp", bmp(8, 5, 2, rows(8, 5, 2), palette=palette[:16])
    yield "header-41.bmp", bmp(8, 5, 24, rows(8, 5, 24), header=41)
    yield "zero-height.bmp", bmp(8, 0, 24, b"")
