"""All files that are made here: (name, bytes)."""

import random

from .bmp import bmps
from .gif import gifs
from .jpeg import jpegs
from .pictures import encoded, scene
from .png import pngs
from .webp import webps


def other():
    picture = scene(9, 7)
    for kind in ("TIFF", "PPM", "ICO", "TGA"):
        yield f"unsupported.{kind.lower()}", encoded(picture, kind)
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
