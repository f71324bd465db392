#!/usr/bin/env python3
"""Golden files for io.topv.engine.image: what Pillow and transformers make of pictures.

    make_image_golden.py [--shared DIR]

Writes java/engine/src/test/resources/images: synthetic/ (made here, tiny, every format feature),
corpus/ (copied from DIR, the licence-clean selection with a manifest), and the goldens
decode.json, resize.json, processor.json. Needs pillow, numpy and transformers without
torchvision. The pictures in DIR above MAX_COPY bytes stay there; their goldens are kept, and the
test reads them where DIR is beside the checkout.
"""
import argparse
import hashlib
import io
import json
import pathlib
import random
import shutil
import struct
import warnings
import zlib

import numpy as np
import PIL
import transformers
from PIL import Image, TiffImagePlugin  # noqa: F401 (the EXIF writer needs the plugin)
from transformers import CLIPImageProcessorPil, LlavaImageProcessorPil
from transformers.image_utils import load_image

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "java/engine/src/test/resources/images"
MAX_COPY = 80_000


def sha(data):
    return hashlib.sha256(data).hexdigest()


def noise(count, seed):
    """The bytes that the Java test makes too: high bytes of a linear congruential generator."""
    out = bytearray(count)
    state = seed
    for i in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out[i] = state >> 24
    return bytes(out)


def noise_image(width, height, seed):
    return Image.frombytes("RGB", (width, height), noise(3 * width * height, seed))


def scene(width, height):
    """Smooth colour with a hard edge: what photographs are like for a decoder."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    red = 255 * x / max(1, width - 1)
    green = 127 + 120 * np.sin(x / 5) * np.cos(y / 4)
    blue = np.where((x + y) % 17 < 6, 230, 255 * y / max(1, height))
    return Image.fromarray(np.stack([red, green, blue], -1).clip(0, 255).astype(np.uint8))


# --- PNG -------------------------------------------------------------------------------------

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


def exif_block(orientation, endian="<", type_=3):
    """The smallest TIFF structure with an orientation."""
    mark = b"II*\0" if endian == "<" else b"MM\0*"
    value = struct.pack(endian + "HH", orientation, 0) if type_ == 3 else struct.pack(endian + "I", orientation)
    entry = struct.pack(endian + "HHI", 0x112, type_, 1) + value
    return mark + struct.pack(endian + "IH", 8, 1) + entry + struct.pack(endian + "I", 0)


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
        out = io.BytesIO()
        frames[0].save(out, "PNG", save_all=True, append_images=frames[1:], default_image=first)
        yield f"{name}.png", out.getvalue()
    frame = struct.pack(">IIIIIHHBB", 0, 4, 3, 2, 1, 1, 10, 0, 0)
    idat = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + rng.randbytes(12) for _ in range(3))))
    parts = chunk(b"acTL", struct.pack(">II", 1, 0)) + chunk(b"fcTL", frame)
    yield "apng-small-frame.png", whole[:33] + parts + idat + chunk(b"IEND", b"")


# --- JPEG ------------------------------------------------------------------------------------


def jpeg(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def frame_header(data):
    """Offset of the body of the SOF segment."""
    at = 2
    while data[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return at + 4


def resampled(data, luma, width, height, chroma=(0x11, 0x11)):
    """The same blocks under other sampling factors: another picture, but a valid one."""
    at = frame_header(data)
    body = bytearray(data)
    body[at + 1 : at + 5] = struct.pack(">HH", height, width)
    body[at + 7] = luma
    if len(chroma) == 2 and body[at + 5] == 3:
        body[at + 10], body[at + 13] = chroma
    return bytes(body)


def segment(marker, body):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def insert(data, *segments):
    return data[:2] + b"".join(segments) + data[2:]


def jpegs(rng):
    for width, height in ((1, 1), (1, 9), (9, 1), (8, 8), (17, 13), (35, 29)):
        picture = scene(width, height)
        for sub, name in ((0, "444"), (1, "422"), (2, "420")):
            for progressive in (False, True):
                kind = f"{name}{'-progressive' if progressive else ''}-{width}x{height}"
                yield f"{kind}.jpg", jpeg(picture, subsampling=sub, progressive=progressive)
        yield f"gray-{width}x{height}.jpg", jpeg(picture.convert("L"))
        yield f"cmyk-{width}x{height}.jpg", jpeg(picture.convert("CMYK"), quality=90)
        yield f"rgb-{width}x{height}.jpg", jpeg(picture, keep_rgb=True)
    picture = scene(32, 32)
    two = jpeg(picture, subsampling=1)
    four = jpeg(picture, subsampling=2)
    for width, height in ((32, 32), (31, 29), (25, 26)):
        yield f"440-{width}x{height}.jpg", resampled(two, 0x12, width, height)
        yield f"411-{width}x{height}.jpg", resampled(four, 0x41, width, height)
        yield f"1x4-{width}x{height}.jpg", resampled(four, 0x14, width, height)
    # RGB components share their tables, so that blocks may change hands.
    three = jpeg(scene(48, 48), keep_rgb=True)
    yield "chroma-wide.jpg", resampled(three, 0x11, 24, 24, (0x21, 0x21))
    yield "chroma-mixed.jpg", resampled(three, 0x21, 32, 24, (0x12, 0x11))
    yield "sampling-3x1.jpg", resampled(three, 0x31, 40, 40)
    yield "restart.jpg", jpeg(scene(61, 43), restart_marker_blocks=2)
    yield "restart-rows.jpg", jpeg(scene(61, 43), restart_marker_rows=1, subsampling=2)
    yield "quality-1.jpg", jpeg(scene(61, 43), quality=1)
    yield "quality-100.jpg", jpeg(scene(61, 43), quality=100, subsampling=0)
    yield "optimized.jpg", jpeg(scene(61, 43), optimize=True)
    base = jpeg(scene(19, 12), subsampling=2)
    cmyk = jpeg(scene(19, 12).convert("CMYK"))
    plain = base[:2] + base[20:]  # without the JFIF segment
    for transform in (0, 1, 2):
        adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform]))
        yield f"adobe-{transform}-rgb.jpg", insert(plain, adobe)
        yield f"adobe-{transform}-cmyk.jpg", insert(cmyk[:2] + cmyk[18:], adobe)
    yield "adobe-none-cmyk.jpg", cmyk[:2] + cmyk[18:]
    yield "no-jfif.jpg", plain
    ids = bytearray(plain)
    at = frame_header(plain)
    scan = plain.index(b"\xff\xda")
    for i, c in enumerate(b"RGB"):
        ids[at + 6 + 3 * i] = c
        ids[scan + 5 + 2 * i] = c
    yield "ids-rgb.jpg", bytes(ids)
    yield "icc.jpg", jpeg(scene(19, 12), icc_profile=rng.randbytes(70000))
    yield "comment.jpg", jpeg(scene(19, 12), comment=b"a comment")
    for orientation in range(10):
        for endian in "<>":
            block = segment(0xE1, b"Exif\0\0" + exif_block(orientation, endian))
            name = "le" if endian == "<" else "be"
            yield f"exif-{name}-{orientation}.jpg", insert(base, block)
    bad = exif_block(6)
    yield "exif-bad-type.jpg", insert(base, segment(0xE1, b"Exif\0\0" + bad.replace(b"\x12\1\3\0", b"\x12\1\2\0")))
    yield "exif-bad-magic.jpg", insert(base, segment(0xE1, b"Exif\0\0" + bad.replace(b"II*\0", b"II*\1")))
    yield "exif-count-0.jpg", insert(base, segment(0xE1, b"Exif\0\0" + exif_block(6).replace(b"\3\0\1\0\0\0", b"\3\0\0\0\0\0")))
    yield "exif-far.jpg", insert(base, segment(0xE1, b"Exif\0\0" + exif_block(6).replace(b"\x08\0\0\0", b"\xff\xff\xff\x7f")))
    long = exif_block(6).replace(b"\3\0\1\0\0\0", b"\3\0\xff\xff\xff\xff")
    yield "exif-huge-count.jpg", insert(base, segment(0xE1, b"Exif\0\0" + long))
    yield "exif-in-two.jpg", insert(base, segment(0xE1, b"Exif\0\0" + bad[:12]), segment(0xE1, b"Exif\0\0" + bad[12:]))
    xmp = b"http://ns.adobe.com/xap/1.0/\0<a><tiff:Orientation>8</tiff:Orientation></a>"
    yield "xmp.jpg", insert(base, segment(0xE1, xmp))
    yield "no-eoi.jpg", base[:-2]
    yield "cut-half.jpg", base[: len(base) * 3 // 4]
    yield "cut-header.jpg", base[:100]
    yield "junk-after-eoi.jpg", base + b"junk"
    yield "junk-before-eoi.jpg", base[:-2] + b"junk" + base[-2:]
    yield "fill-bytes.jpg", base[:2] + b"\xff\xff" + base[2:-2] + b"\xff\xff\xff\xd9"
    start = base.index(b"\xff\xda") + 14
    yield "early-eoi.jpg", base[: start + 20] + b"\xff\xd9"
    yield "garbage-scan.jpg", base[: start + 9] + bytes(40) + base[start + 49 :]
    progressive = jpeg(scene(35, 29), progressive=True)
    yield "progressive-cut.jpg", progressive[: len(progressive) * 2 // 3]
    last = progressive.rindex(b"\xff\xda")
    yield "progressive-without-last-scan.jpg", progressive[:last] + b"\xff\xd9"
    for marker in (0xC3, 0xC5, 0xC9, 0xCA):
        body = bytearray(base)
        body[frame_header(base) - 3] = marker
        yield f"sof{marker - 0xC0}.jpg", bytes(body)
    body = bytearray(base)
    body[frame_header(base)] = 12
    yield "12-bit.jpg", bytes(body)
    yield "zero-height.jpg", resampled(base, 0x22, 19, 0)
    yield "bomb.jpg", resampled(base, 0x22, 65000, 65000)
    two = io.BytesIO()
    scene(20, 15).save(two, "MPO", save_all=True, append_images=[scene(20, 15).rotate(180)])
    yield "two.mpo", two.getvalue()


# --- GIF, BMP, WebP --------------------------------------------------------------------------


def gif(image, **options):
    out = io.BytesIO()
    image.save(out, "GIF", **options)
    return out.getvalue()


def gifs(rng):
    for width, height in ((1, 1), (1, 9), (9, 1), (13, 11), (40, 33)):
        palette = scene(width, height).quantize(50)
        for interlace in (0, 1):
            kind = f"{'-interlaced' if interlace else ''}-{width}x{height}"
            yield f"palette{kind}.gif", gif(palette, interlace=interlace)
            yield f"gray{kind}.gif", gif(scene(width, height).convert("L"), interlace=interlace)
    palette = noise_image(64, 64, 3).quantize(256)
    yield "noise.gif", gif(palette)
    yield "transparent.gif", gif(scene(13, 11).quantize(20), transparency=3)
    frames = [scene(13, 11).quantize(20), scene(13, 11).rotate(90).resize((13, 11)).quantize(20)]
    for disposal in (0, 1, 2, 3):
        data = gif(frames[0], save_all=True, append_images=frames[1:], disposal=disposal, loop=0)
        yield f"animated-{disposal}.gif", data
    data = gif(scene(13, 11).quantize(20), transparency=2, comment=b"c" * 300)
    yield "comment.gif", data
    at = data.index(b",\0\0\0\0")
    body = bytearray(data)
    body[6:10] = struct.pack("<HH", 20, 17)
    body[at + 1 : at + 5] = struct.pack("<HH", 5, 4)
    yield "offset-transparent.gif", bytes(body)
    body[6:10] = struct.pack("<HH", 3, 30)
    yield "outside-screen.gif", bytes(body)
    solid = bytearray(gif(scene(13, 11).quantize(20)))
    at = bytes(solid).index(b",\0\0\0\0")
    solid[6:10] = struct.pack("<HH", 20, 17)
    solid[at + 1 : at + 5] = struct.pack("<HH", 5, 4)
    yield "offset.gif", bytes(solid)
    yield "cut.gif", data[:-40]
    yield "no-trailer.gif", data[:-1]
    yield "no-terminator.gif", data[:-2]
    body = bytearray(data)
    body[len(data) - 30] ^= 0x55
    yield "broken-lzw.gif", bytes(body)
    yield "no-image.gif", data[:13] + data[13 : 13 + (3 << (data[10] & 7) + 1)] + b";"
    body = bytearray(data)
    at = data.index(b",\0\0\0\0")
    body[at + 5 : at + 9] = struct.pack("<HH", 0, 11)
    yield "zero-width.gif", bytes(body)
    body = bytearray(data)
    body[4] = ord("8")
    yield "version-88a.gif", bytes(body)


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


def webp(image, **options):
    out = io.BytesIO()
    image.save(out, "WEBP", **options)
    return out.getvalue()


def webps(rng):
    for width, height in ((1, 1), (1, 9), (9, 1), (17, 13), (40, 33)):
        picture = scene(width, height)
        clear = picture.copy()
        clear.putalpha(picture.convert("L"))
        for lossless in (False, True):
            kind = f"{'lossless' if lossless else 'lossy'}-{width}x{height}"
            yield f"{kind}.webp", webp(picture, lossless=lossless)
            yield f"{kind}-alpha.webp", webp(clear, lossless=lossless, exact=True)
    for orientation in range(1, 9):
        exif = b"Exif\0\0" + exif_block(orientation)
        yield f"exif-{orientation}.webp", webp(scene(7, 5), exif=exif, lossless=True)
    xmp = b'<x tiff:Orientation="6"/>'
    yield "xmp.webp", webp(scene(7, 5), xmp=xmp, lossless=True)
    frames = [scene(18, 14), scene(18, 14).rotate(180)]
    for lossless in (False, True):
        data = webp(frames[0], save_all=True, append_images=frames[1:], lossless=lossless)
        yield f"animated-{'lossless' if lossless else 'lossy'}.webp", data
    clear = [f.convert("RGBA") for f in frames]
    clear[0].putalpha(frames[0].convert("L"))
    yield "animated-alpha.webp", webp(clear[0], save_all=True, append_images=clear[1:])
    data = webp(scene(17, 13))
    yield "cut.webp", data[:-30]
    yield "cut-one.webp", data[:-1]
    yield "cut-header.webp", data[:18]
    yield "junk-after.webp", data + b"junk"
    yield "size-large.webp", data[:4] + struct.pack("<I", len(data)) + data[8:]
    yield "size-small.webp", data[:4] + struct.pack("<I", len(data) - 30) + data[8:]
    body = bytearray(data)
    body[23] ^= 0xFF
    yield "bad-start-code.webp", bytes(body)
    yield "noise-body.webp", data[:30] + rng.randbytes(len(data) - 30)


def other():
    picture = scene(9, 7)
    for kind in ("TIFF", "PPM", "ICO", "TGA"):
        out = io.BytesIO()
        picture.save(out, kind)
        yield f"unsupported.{kind.lower()}", out.getvalue()
    yield "empty.png", b""
    yield "text.jpg", b"this is no picture\n"
    yield "only-magic.png", b"\x89PNG\r\n\x1a\n"
    yield "only-magic.jpg", b"\xff\xd8\xff"
    yield "only-magic.gif", b"GIF89a"
    yield "only-magic.bmp", b"BM"
    yield "only-magic.webp", b"RIFF\x04\0\0\0WEBP"


def synthetic():
    for make in (pngs, jpegs, gifs, bmps, webps):
        yield from make(random.Random(make.__name__))
    yield from other()


# --- Goldens ---------------------------------------------------------------------------------

CLIP = {"size": {"shortest_edge": 336}, "crop_size": {"height": 336, "width": 336}}


def verdict(path, name):
    """What load_image and CLIP's preprocessing at 336 say of one file."""
    entry = {"file": name}
    try:
        with Image.open(path) as image:
            entry.update(format=image.format.replace("MPO", "JPEG"), mode=image.mode, stored=list(image.size))
            image.load()
            orientation = image.getexif().get(0x112, 1)
            entry["orientation"] = orientation if orientation in range(1, 9) else 1
        picture = load_image(str(path))
    except Exception as e:  # whatever Pillow raises is its verdict
        return {"file": name, "error": f"{type(e).__name__}: {e}".replace(str(path), name)}
    values = CLIPImageProcessorPil(**CLIP)(picture, return_tensors="np")["pixel_values"][0]
    entry.update(size=list(picture.size), rgb=sha(picture.tobytes()), values=sha(float_bytes(values)))
    return entry


def float_bytes(values):
    return np.ascontiguousarray(values, dtype="<f4").tobytes()


RESIZES = [
    (1, 1, 5, 7), (7, 5, 1, 1), (64, 48, 17, 23), (17, 23, 64, 48), (97, 61, 96, 61), (97, 61, 97, 30),
    (97, 61, 98, 61), (3, 401, 2, 100), (3, 401, 5, 100), (3, 401, 3, 500), (2, 201, 1, 200), (401, 3, 13, 2),
    (251, 127, 336, 336), (30, 20, 30, 20), (500, 1, 7, 1), (1, 500, 1, 7), (13, 17, 211, 3),
]  # fmt: skip


def resizes():
    for seed, (width, height, out_width, out_height) in enumerate(RESIZES):
        image = noise_image(width, height, seed)
        for resample in range(6):
            out = image.resize((out_width, out_height), resample=resample)
            yield {"seed": seed, "in": [width, height], "out": [out_width, out_height], "resample": resample,
                   "rgb": sha(out.tobytes())}  # fmt: skip


LLAVA = {"image_processor_type": "LlavaImageProcessor"}
CONFIGS = [
    {"image_processor_type": "CLIPImageProcessor", **CLIP},
    {"image_processor_type": "CLIPImageProcessorFast", "size": 37, "crop_size": 37},
    {"size": {"shortest_edge": 30}, "crop_size": {"height": 17, "width": 24}},
    {"size": {"shortest_edge": 30}, "crop_size": {"height": 41, "width": 34}},
    {"size": {"height": 19, "width": 45}, "do_center_crop": False},
    {"size": [19, 45], "crop_size": [23, 12]},
    {"size": {"shortest_edge": 24, "longest_edge": 31}, "do_center_crop": False},
    {"size": {"shortest_edge": 24, "longest_edge": 300}, "do_center_crop": False},
    {"do_resize": False, "crop_size": 29},
    {"do_resize": False, "crop_size": 200},
    {"do_resize": False, "do_center_crop": False},
    *({"size": 33, "crop_size": 28, "resample": r} for r in range(6)),
    {"size": 28, "crop_size": 28, "do_rescale": False},
    {"size": 28, "crop_size": 28, "do_normalize": False},
    {"size": 28, "crop_size": 28, "do_normalize": False, "do_rescale": False},
    {"size": 28, "crop_size": 28, "do_normalize": False, "do_rescale": None},
    {"size": 28, "crop_size": 28, "rescale_factor": 0.00784313725490196},
    {"size": 28, "crop_size": 28, "image_mean": [0.5, 0.25, 0.125], "image_std": [0.3, 1.0, 2.5]},
    {"size": 28, "crop_size": 28, "image_mean": 0.5, "image_std": 0.5},
    {**LLAVA, "size": 28, "crop_size": 28},
    {**LLAVA, "size": 28, "crop_size": 28, "do_pad": True},
    {**LLAVA, "size": {"height": 31, "width": 29}, "do_center_crop": False, "do_pad": True},
    {**LLAVA, "do_resize": False, "crop_size": 50, "do_pad": True, "image_mean": [0.2, 0.999, 0.0]},
    {**LLAVA, "size": 28, "crop_size": 28, "do_pad": True, "do_normalize": False},
]
PICTURES = [(1, 1), (53, 31), (31, 53), (37, 37), (2, 211), (211, 2), (113, 97)]


def processors():
    for config in CONFIGS:
        kind = LlavaImageProcessorPil if "Llava" in config.get("image_processor_type", "") else CLIPImageProcessorPil
        processor = kind(**{k: v for k, v in config.items() if k != "image_processor_type"})
        for seed, (width, height) in enumerate(PICTURES):
            entry = {"config": config, "seed": seed, "in": [width, height]}
            try:
                values = processor(noise_image(width, height, seed), return_tensors="np")["pixel_values"][0]
            except ValueError as e:
                yield {**entry, "error": str(e)}
                continue
            assert values.dtype in (np.float32, np.uint8), values.dtype
            middle = [float(values[c, values.shape[1] // 2, values.shape[2] // 2]) for c in range(3)]
            yield {**entry, "out": list(values.shape), "middle": middle, "values": sha(float_bytes(values))}


def write_lines(name, entries):
    entries = list(entries)
    text = ",\n".join(json.dumps(e) for e in entries)
    (OUT / name).write_text(f"[\n{text}\n]\n")
    print(f"{name}: {len(entries)} entries")


def copy_corpus(shared):
    """Copies the small pictures and says where each comes from; yields all of them."""
    folder = OUT / "corpus"
    shutil.rmtree(folder, ignore_errors=True)
    origin = []
    for entry in json.loads((shared / "manifest.json").read_text()):
        source = shared / entry["file"]
        if entry["bytes"] <= MAX_COPY:
            target = folder / entry["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            origin.append({k: entry[k] for k in ("file", "source", "licence", "bytes", "sha256")})
        yield source, f"corpus/{entry['file']}"
    text = ",\n".join(json.dumps(e) for e in origin)
    (folder / "ATTRIBUTION.json").write_text(f"[\n{text}\n]\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=pathlib.Path, default=ROOT.parent / "shared/images")
    shared = parser.parse_args().shared
    warnings.simplefilter("ignore")
    print(f"pillow {PIL.__version__}, transformers {transformers.__version__}")
    shutil.rmtree(OUT / "synthetic", ignore_errors=True)
    (OUT / "synthetic").mkdir(parents=True)
    cases = []
    for name, data in synthetic():
        path = OUT / "synthetic" / name
        assert not path.exists(), name
        path.write_bytes(data)
        cases.append((path, f"synthetic/{name}"))
    cases += copy_corpus(shared)
    write_lines("decode.json", (verdict(path, name) for path, name in cases))
    write_lines("resize.json", resizes())
    write_lines("processor.json", processors())
    np.save(OUT / "values.npy", np.arange(2 * 3 * 5, dtype=np.float32).reshape(2, 3, 5) / 7 - 2)


if __name__ == "__main__":
    main()
