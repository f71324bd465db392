#!/usr/bin/env python3
"""Measures topv against transformers: a LLaVA-1.5 graph of 1.4 B parameters, bf16, on the CPU, in turns.

    PYTHON=.venv/bin/python scripts/bench e2e [--rounds N] [--threads N] [--output DIR] [--device cuda]

First both must compute the same model; then vision encoding, prefill, prefill with TopV, decoding and the time to the
first token are measured in turns, so that what else the machine does hits both. Writes DIR/<date>-cpu-e2e.{json,md}.
"""

import argparse
import datetime
import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache/bench"
KEEP = 265
DECODED = 32


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench e2e", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--device", default="cpu", help="cuda: LLaVA-1.5-7B's geometry on the GPU; see bench_e2e/gpu.py")
    parser.add_argument("--small", action="store_true", help="with --device: a small geometry, to try the program")
    parser.add_argument("--seconds", type=float, default=300, help="with --device: time for all")
    parser.add_argument("--json", type=Path, help="with --device: writes the figures there, too")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/results")
    return parser.parse_args()


def read_bandwidth(threads):
    binary = CACHE / "read_bandwidth"
    source = Path(__file__).parent / "bench_e2e/read_bandwidth.cpp"
    if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["g++", "-O3", "-march=native", "-fopenmp", source, "-o", binary], check=True)
    return json.loads(subprocess.run([binary, str(threads)], check=True, capture_output=True, text=True).stdout)


def measure(rounds, threads, ours, theirs):
    """name -> Series; the names say what and of whom."""
    from bench_e2e.clock import Series, window

    series = {}

    def take(name, work, *keys):
        result, foreign = window(work, [os.getpid(), ours.pid])
        for key in keys:
            series.setdefault(f"{name}.{key}", Series()).add(result[key], foreign)

    for i in range(rounds):
        for engine in (ours, theirs) if i % 2 == 0 else (theirs, ours):
            take(f"{engine.name}.vision", engine.vision, "ms")
            take(f"{engine.name}.prefill", engine.prefill, "ms")
            take(f"{engine.name}.decode", lambda e=engine: e.decode(DECODED), "ms")
            take(f"{engine.name}.first", engine.first, "ms")
            if engine is ours:
                take("topv.pruned", lambda: ours.prefill([KEEP]), "ms", "selection_ms")
                take("topv.pruned_decode", lambda: ours.decode(DECODED), "ms")
        pages = ("small_pages", "small_pages_median", "huge_pages", "huge_pages_median")
        take("read", lambda: read_bandwidth(threads), *pages)
        print(f"bench: round {i + 1} of {rounds}", flush=True)
    return {name: one.summary() for name, one in series.items()}


def main():
    options = arguments()
    if options.device != "cpu" or options.small:
        from bench_e2e import gpu

        CACHE.mkdir(parents=True, exist_ok=True)
        return gpu.main(options, CACHE)
    os.environ |= {"OMP_NUM_THREADS": str(options.threads), "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    from bench_e2e import check, engines, model, report

    directory = CACHE / "llava-1.4b"
    model.make(directory)
    pixels, prompt = CACHE / "pixels.f32", CACHE / "prompt.txt"
    model.pixels().tofile(pixels)
    prompt.write_text(" ".join(map(str, model.prompt())))

    print("bench: loading both", flush=True)
    ours = engines.Topv(directory, pixels, prompt, "--threads", options.threads)
    cold = {"load": ours.load_ms, "vision": ours.vision()["ms"], "prefill": ours.prefill()["ms"]}
    theirs = engines.Transformers.load(directory, model.pixels(), model.prompt(), options.threads)
    their_cold = {"load": theirs.load_ms, "vision": theirs.vision()["ms"], "prefill": theirs.prefill()["ms"]}
    agreement = check.check(ours, theirs, directory, CACHE)
    print("bench: both agree", flush=True)
    result = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "threads": options.threads,
        "cpu": ours.loaded["device"],
        "versions": engines.Transformers.versions(),
        "prompt_tokens": len(model.prompt()),
        "visual_tokens": model.VISUAL_TOKENS,
        "kept": KEEP,
        "decoded": DECODED,
        "decoder_bytes_per_token": model.decoder_bytes_per_token(),
        "agreement": agreement,
        "cold_ms": {"topv": cold, "transformers": their_cold},
        "series": measure(options.rounds, options.threads, ours, theirs),
        "memory": {"topv": ours.memory(), "transformers": theirs.memory()},
    }
    ours.close()
    report.write(result, options.output)


if __name__ == "__main__":
    main()
