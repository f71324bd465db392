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
import json
import pathlib
import shutil
import warnings

import numpy as np
import PIL
import transformers
from image_golden.expected import processors, resizes, verdict
from image_golden.synthetic import synthetic

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "java/engine/src/test/resources/images"
MAX_COPY = 80_000


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
