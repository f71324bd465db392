"""WebP: lossy and lossless, with alpha, animated, with EXIF; broken ones."""

import struct

from .pictures import encoded, exif_block, scene


def webp(image, **options):
    return encoded(image, "WEBP", **options)


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
