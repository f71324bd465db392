"""JPEG: sampling factors, colour spaces, EXIF; files that are cut, or that we do not read."""

import struct

from .pictures import encoded, exif_block, scene


def jpeg(image, **options):
    return encoded(image, "JPEG", **options)


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
    yield "two.mpo", encoded(scene(20, 15), "MPO", save_all=True, append_images=[scene(20, 15).rotate(180)])
