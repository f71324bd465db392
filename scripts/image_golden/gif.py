"""GIF: interlaced, transparent, animated, off the screen, broken."""

import struct

from .pictures import encoded, noise_image, scene


def gif(image, **options):
    return encoded(image, "GIF", **options)


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
