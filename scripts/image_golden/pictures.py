"""Pictures made here, and what several formats hold alike."""

import io
import struct

import numpy as np
from PIL import Image, TiffImagePlugin  # noqa: F401 (the EXIF writer needs the plugin)


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


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif_block(orientation, endian="<", type_=3):
    """The smallest TIFF structure with an orientation."""
    mark = b"II*\0" if endian == "<" else b"MM\0*"
    value = struct.pack(endian + "HH", orientation, 0) if type_ == 3 else struct.pack(endian + "I", orientation)
    entry = struct.pack(endian + "HHI", 0x112, type_, 1) + value
    return mark + struct.pack(endian + "IH", 8, 1) + entry + struct.pack(endian + "I", 0)
