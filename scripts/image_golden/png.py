"""PNG: every kind of sample, interlaced and not; chunks that are wrong, cut, late or large."""

import struct
import zlib

from .pictures import encoded, exif_block, scene

PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width, height, depth, color, interlace, rng, before=b"", after=b"", pieces=1, cut_rows=0):
    """Random rows under random filters; Pillow says what they decode to."""
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    raw = bytearray()
    for x0, y0, dx, dy in PASSES if interlace else [(0, 0, 1, 1)]:
        columns, rows = -(-(width - x0) // dx), -(-(height - y0) // dy)
        for _ in range(rows if columns > 0 else 0):
            raw.append(rng.randrange(5))
            raw += rng.randbytes((columns * depth * samples + 7) // 8)
    if cut_rows:
        raw = raw[: -cut_rows * (1 + (width * depth * samples + 7) // 8)]
    data = zlib.compress(bytes(raw))
    step = max(1, -(-len(data) // pieces))
    idat = b"".join(chunk(b"IDAT", data[i : i + step]) for i in range(0, len(data), step))
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + idat + after + chunk(b"IEND", b"")


def pngs(rng):
    legal = [(d, 0) for d in (1, 2, 4, 8, 16)] + [(d, 3) for d in (1, 2, 4, 8)]
    legal += [(d, c) for c in (2, 4, 6) for d in (8, 16)]
    names = {0: "gray", 2: "rgb", 3: "palette", 4: "graya", 6: "rgba"}
    for depth, color in legal:
        palette = chunk(b"PLTE", rng.randbytes(3 << depth)) if color == 3 else b""
        for interlace in (0, 1):
            for width, height in ((13, 11), (1, 1), (1, 9), (9, 1), (3, 2)):
                kind = f"{names[color]}{depth}{'-interlaced' if interlace else ''}-{width}x{height}"
                yield f"{kind}.png", png(width, height, depth, color, interlace, rng, palette)
    trns = lambda body: chunk(b"tRNS", body)
    yield "trns-gray8.png", png(5, 4, 8, 0, 0, rng, trns(b"\0\7"))
    yield "trns-gray16.png", png(5, 4, 16, 0, 0, rng, trns(b"\1\7"))
    yield "trns-gray1.png", png(5, 4, 1, 0, 0, rng, trns(b"\0\1"))
    yield "trns-rgb8.png", png(5, 4, 8, 2, 0, rng, trns(b"\0\1\0\2\0\3"))
    yield "trns-rgb-short.png", png(5, 4, 8, 2, 0, rng, trns(b"\0\1\0\2"))
    palette = chunk(b"PLTE", rng.randbytes(3 * 16))
    yield "trns-palette.png", png(5, 4, 4, 3, 0, rng, palette + trns(rng.randbytes(9)))
    yield "trns-palette-one.png", png(5, 4, 4, 3, 0, rng, palette + trns(b"\xff\0\xff"))
    yield "palette-short.png", png(9, 7, 8, 3, 0, rng, chunk(b"PLTE", rng.randbytes(30)))
    yield "palette-none.png", png(9, 7, 8, 3, 0, rng)
    yield "palette-long.png", png(9, 7, 8, 3, 0, rng, chunk(b"PLTE", rng.randbytes(771)))
    yield "palette-uneven.png", png(9, 7, 8, 3, 0, rng, chunk(b"PLTE", rng.randbytes(100)))
    yield "many-idat.png", png(31, 17, 8, 2, 0, rng, pieces=40)
    yield "early-end.png", png(6, 9, 8, 2, 0, rng, cut_rows=3)
    yield "early-end-palette.png", png(6, 9, 8, 3, 0, rng, chunk(b"PLTE", rng.randbytes(768)), cut_rows=3)
    whole = png(7, 5, 8, 2, 0, rng)
    yield "no-iend.png", whole[:-12]
    yield "cut-iend.png", whole[:-5]
    yield "cut-idat.png", whole[:-60]
    yield "idat-bad-crc.png", whole[:-13] + bytes([whole[-13] ^ 1]) + whole[-12:]
    yield "zlib-bad-adler.png", whole[:-17] + bytes([whole[-17] ^ 1]) + whole[-16:]
    yield "junk-after-iend.png", whole + b"junk"
    late = chunk(b"IHDR", struct.pack(">IIBBBBB", 99, 99, 8, 3, 0, 0, 1)) + chunk(b"PLTE", bytes(771))
    yield "late-header.png", whole[:-12] + late + whole[-12:]
    yield "late-palette.png", png(5, 4, 4, 3, 0, rng, palette, chunk(b"PLTE", bytes(48)))
    yield "late-animation.png", png(5, 4, 8, 0, 0, rng, b"", chunk(b"acTL", struct.pack(">II", 3, 0)))
    yield "chunk-after-idat-cut.png", whole[:-12] + struct.pack(">I", 99) + b"tEXtabc"
    yield "bad-name.png", whole[:33] + b"\0\0\0\0\x01\x02\x03\x04" + whole[33:]
    yield "no-idat.png", whole[:33] + chunk(b"IEND", b"")
    yield "no-ihdr.png", whole[:8] + whole[33:]
    yield "ihdr-twice.png", whole[:33] + whole[8:]
    for name, depth, color in (("depth3", 3, 0), ("rgb4", 4, 2), ("palette16", 16, 3), ("color5", 8, 5)):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", 7, 5, depth, color, 0, 0, 0))
        yield f"bad-{name}.png", whole[:8] + header + whole[33:]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 7, 5, 8, 2, 0, 1, 0))
    yield "bad-filter-method.png", whole[:8] + header + whole[33:]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 5, 8, 2, 0, 0, 0))
    yield "zero-width.png", whole[:8] + header + whole[33:]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
    yield "bomb.png", whole[:8] + header + whole[33:]
    bad = zlib.compress(b"\7" + bytes(21))
    yield "bad-row-filter.png", whole[:33] + chunk(b"IDAT", bad) + chunk(b"IEND", b"")
    yield "not-zlib.png", whole[:33] + chunk(b"IDAT", b"no deflate data") + chunk(b"IEND", b"")
    megabyte = zlib.compress(bytes((1 << 20) + 1), 9)
    yield "ztxt-large.png", png(3, 3, 8, 2, 0, rng, chunk(b"zTXt", b"k\0\0" + megabyte))
    yield "ztxt-fits.png", png(3, 3, 8, 2, 0, rng, chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(1 << 20))))
    yield "ztxt-broken.png", png(3, 3, 8, 2, 0, rng, chunk(b"zTXt", b"k\0\0nonsense"))
    yield "ztxt-method.png", png(3, 3, 8, 2, 0, rng, chunk(b"zTXt", b"k\0\1" + megabyte))
    yield "itxt-large-after.png", png(3, 3, 8, 2, 0, rng, after=chunk(b"iTXt", b"k\0\1\0\0\0" + megabyte))
    yield "iccp-large.png", png(3, 3, 8, 2, 0, rng, chunk(b"iCCP", b"k\0\0" + megabyte))
    yield "iccp-broken.png", png(3, 3, 8, 2, 0, rng, chunk(b"iCCP", b"k\0\0nonsense"))
    yield "iccp-cut.png", png(3, 3, 8, 2, 0, rng, chunk(b"iCCP", b"k\0"))
    yield "chrm-odd.png", png(3, 3, 8, 2, 0, rng, chunk(b"cHRM", bytes(31)))
    yield "text-chunks.png", png(3, 3, 8, 2, 0, rng, chunk(b"tEXt", b"k\0v") + chunk(b"tEXt", b"novalue"))
    for orientation in range(10):
        for endian in "<>":
            block = chunk(b"eXIf", exif_block(orientation, endian))
            name = "le" if endian == "<" else "be"
            yield f"exif-{name}-{orientation}.png", png(3, 2, 8, 2, 0, rng, block)
    yield "exif-after-idat.png", png(3, 2, 8, 2, 0, rng, after=chunk(b"eXIf", exif_block(6)))
    yield "exif-long.png", png(3, 2, 8, 2, 0, rng, chunk(b"eXIf", exif_block(8, ">", 4)))
    yield "exif-empty.png", png(3, 2, 8, 2, 0, rng, chunk(b"eXIf", b""))
    yield "exif-cut.png", png(3, 2, 8, 2, 0, rng, chunk(b"eXIf", exif_block(6)[:20]))
    xmp = b'<x tiff:Orientation="6"/>'
    yield "xmp.png", png(3, 2, 8, 2, 0, rng, chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))
    both = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp) + chunk(b"eXIf", exif_block(3))
    yield "xmp-and-exif.png", png(3, 2, 8, 2, 0, rng, both)
    raw = b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n   26\n" + exif_block(5).hex().encode())
    yield "exif-raw-profile.png", png(3, 2, 8, 2, 0, rng, chunk(b"zTXt", raw))
    frames = [scene(9, 7), scene(9, 7).rotate(180)]
    for name, first in (("apng", False), ("apng-default-image", True)):
        yield f"{name}.png", encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=first)
    frame = struct.pack(">IIIIIHHBB", 0, 4, 3, 2, 1, 1, 10, 0, 0)
    idat = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + rng.randbytes(12) for _ in range(3))))
    parts = chunk(b"acTL", struct.pack(">II", 1, 0)) + chunk(b"fcTL", frame)
    yield "apng-small-frame.png", whole[:33] + parts + idat + chunk(b"IEND", b"")
