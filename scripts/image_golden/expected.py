"""What Pillow and transformers say: of a file, of resizing, of the image processors."""

import hashlib

import numpy as np
from PIL import Image
from transformers import CLIPImageProcessorPil, LlavaImageProcessorPil
from transformers.image_utils import load_image

from .pictures import noise_image


def sha(data):
    return hashlib.sha256(data).hexdigest()


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
