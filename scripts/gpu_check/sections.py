"""The sections of scripts/gpu-check run. Each takes seconds and a log, and returns status, lines and data."""

import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Callable

from places import JAVA, LOGS, NATIVE, REHEARSAL, ROOT, UNPACKED, WORK
from process import call

ENOUGH = 10  # seconds: with less left nothing is begun
BACKEND = "simt" if REHEARSAL else "cuda"  # of the tests; the command knows cuda alone
ON_DEVICE = {"TOPV_TEST_BACKEND": BACKEND} | ({"TOPV_TEST_SMALL": "1"} if REHEARSAL else {})


class Ended(Exception):
    """A section that cannot go on."""

    def __init__(self, status, *lines):
        super().__init__(status)
        self.result = {"status": status, "lines": list(lines)}


@dataclass
class Section:
    seconds: float
    work: Callable


def missing_device():
    """Why there is no GPU, or nothing."""
    if REHEARSAL:
        return ""
    if not shutil.which("nvidia-smi"):
        return "nvidia-smi is not found"
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True)
    return "" if listed.returncode == 0 and "GPU 0" in listed.stdout else f"nvidia-smi -L: {listed.stdout}{listed.stderr}".strip()


def finished(status, lines, data=None):
    name = "out of time" if status is None else "passed" if status == 0 else "failed"
    return {"status": name, "lines": lines, "data": data or {}}


def tail(output, count=8):
    return [line for line in output.splitlines() if line.strip()][-count:]


def topv(*arguments):
    """A command line of the CLI on the carried run-time image."""
    return [
        UNPACKED / "jre/bin/java", "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Xmx16g",
        "-Dorg.bytedeco.javacpp.maxBytes=0", "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
        f"-Dorg.bytedeco.javacpp.cachedir={WORK}/javacpp", f"-Dtopv.native.directory={NATIVE}/lib", f"-Dtopv.home={ROOT}",
        "-cp", f"{JAVA}/lib/*", "io.topv.cli.Main", *arguments,
    ]  # fmt: skip


# ---- sections


def device(seconds, log):
    """What is there. The first line names GPU and driver."""
    lines = []
    for command in (
        ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"],
        ["nvidia-smi", "--query-gpu=clocks.max.sm,clocks.max.mem,power.limit", "--format=csv,noheader"],
        ["nvcc", "--version"],
        [sys.executable, "-c", "import torch; print('torch', torch.__version__, 'CUDA', torch.version.cuda)"],
        [sys.executable, "-c", "import transformers; print('transformers', transformers.__version__)"],
    ):
        if shutil.which(command[0]):
            lines += tail(call(command, seconds / 3, log)[1], 1)
    status, output = call(topv("doctor"), seconds / 3, log)
    about = [line for line in output.splitlines() if line.startswith(("gpu", "cuda", "topv"))]
    return finished(status, lines + (about if status == 0 else tail(output)))


def constants(seconds, log):
    status, output = call([NATIVE / "bin/bench_constants"], seconds, log)
    if status != 0:
        return finished(status, tail(output))
    data = json.loads(output)
    return finished(0, [f"{name}: {value}" for name, value in data.items()], data)


def conformance(seconds, log):
    """Each wrapper of an instruction on the GPU, next to what the emulation gives."""
    status, output = call([NATIVE / "bin/conformance_cuda"], seconds, log)
    emulated = (NATIVE / "conformance.txt").read_text().splitlines()
    there = [line for line in output.splitlines() if line.strip()]
    same = sum(line in emulated for line in there)
    wrong = [line for line in there if line.startswith("FAILED")]
    lines = [f"{len(there)} lines of {len(emulated)}, {same} of them as in the emulation", *wrong]
    return finished(status, lines + (tail(output) if status and not wrong else []))


def native_tests():
    return sorted((NATIVE / "bin").glob("test_*"))


def side_by_side(jobs, seconds, workers, **environment):
    """Runs name -> command; name -> (status, output). Each may take what is left."""
    end = time.monotonic() + seconds

    def one(name, command):
        left = end - time.monotonic()
        return call(command, left, LOGS / f"{name}.log", **(ON_DEVICE | environment)) if left > 1 else (None, "")

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        running = {name: pool.submit(one, name, command) for name, command in jobs.items()}
    return {name: future.result() for name, future in running.items()}


def verdict(results):
    """failed before out of time before passed."""
    failed = {name: output for name, (status, output) in results.items() if status not in (0, None)}
    late = [name for name, (status, _) in results.items() if status is None]
    lines = [f"{len(results) - len(failed) - len(late)} of {len(results)} passed"]
    for name, output in failed.items():
        wrong = [line[:200] for line in output.splitlines() if "FAILED" in line or "ERROR" in line]
        lines += [f"{name} failed:", *(f"  {line}" for line in wrong[:6] or tail(output, 4))]
    if late:
        lines.append("out of time: " + " ".join(late))
    return finished(1 if failed else None if late else 0, lines, {name: status for name, (status, _) in results.items()})


def native(seconds, log):
    """The tests of every operation."""
    return verdict(side_by_side({path.name: [path] for path in native_tests()}, seconds, 2 if REHEARSAL else 8))


def java(seconds, log):
    """The golden models and the interop tests, in JUnit."""
    classpath = ":".join([*map(str, (JAVA / "lib").glob("*.jar")), f"{JAVA}/test"])
    command = topv()[:-1]
    at = command.index("-cp")
    command[at + 1] = classpath
    command[at:at] = [f"-Dtopv.test.backend={BACKEND}", f"-Dtopv.root={ROOT}"]
    command += [
        "org.junit.platform.console.ConsoleLauncher", "execute", "--select-package=io.topv.engine.model",
        "--select-package=io.topv.runtime", "--include-tag=every-device", "--include-engine=junit-jupiter", "--details=tree",
        "--details-theme=ascii", "--disable-banner", "--disable-ansi-colors", *(["--exclude-tag=long-when-emulated"] if REHEARSAL else []),
    ]  # fmt: skip
    status, output = call(command, seconds, log, cwd=ROOT / "java/engine")
    counts = [line.strip(" []") for line in output.splitlines() if re.match(r"\[\s+\d+ tests (successful|failed|skipped)", line)]
    if status == 0 and not any(re.match(r"[1-9]\d* tests successful", line) for line in counts):
        return finished(1, ["no test ran", *tail(output)])
    wrong = [line[:200] for line in output.splitlines() if "[X]" in line][:20]
    return finished(status, counts + ([] if status == 0 else wrong or tail(output)))


# What the targets speak of comes first.
MOST_WANTED = ["selection", "attention_prefill", "attention_decode", "kv_gather", "rows_gather"]
ROUTINE_SECONDS = 90
LAST = "torch_compile"  # takes the time that is left, and may lack some


def bench(seconds, log):
    """Ours in a process per routine, since a fault ends all work of a process; then PyTorch, compiled last."""
    end = time.monotonic() + seconds
    kernel = topv("bench", "kernel", "--python", sys.executable, "--seconds", "0.1", *(["--quick"] if REHEARSAL else []))
    status, listed = call([*kernel, "--list"], seconds, log)
    routines = list(dict.fromkeys(line.split()[0] for line in listed.splitlines() if "dtype=" in line))
    if status != 0 or not routines:
        return finished(status or 1, tail(listed))
    others = [name for name in routines if name not in MOST_WANTED]

    def ours(names):
        return {name: (name, "cuda" + (",flash_topv,flash_torch,flash_cudnn" if name.startswith("attention") else "")) for name in names}

    jobs = {
        **ours(MOST_WANTED),
        "torch": (",".join(MOST_WANTED), "torch,torch_flash,torch_cudnn"),
        **ours(others),
        "torch, others": (",".join(others), "torch"),
        LAST: (",".join(MOST_WANTED + others), "torch_compile"),
    }
    target = WORK / "kernels.json"
    rows, devices, failed, late = [], {}, [], []
    for job, (names, providers) in jobs.items():
        target.unlink(missing_ok=True)
        left = end - time.monotonic()
        status = None
        if left > ENOUGH:
            command = [*kernel, "--routine", names, "--provider", providers, "--format", "json", "--output", target]
            status, _ = call(command, left if job == LAST else min(left, ROUTINE_SECONDS), log)
        (late if status is None else failed if status else []).append(job)
        if target.exists():  # written anew after each case
            found = json.loads(target.read_text())
            rows += found["results"]
            devices |= found["devices"]
    lines = [f"{name}: {first_line(text)}" for name, text in devices.items()] + table(rows)
    lines += [f"failed: {', '.join(failed)}"] if failed else []
    lines += [f"out of time: {', '.join(late)}"] if late else []
    wrong = [row for row in rows if row.get("problem", "").startswith("wrong") or row["provider"] == "cuda" and "problem" in row]
    return finished(1 if failed or wrong else None if set(late) - {LAST} else 0, lines, {"kernels": rows})


def first_line(text):
    return text.split("\n", 1)[0][:120]


def table(rows):
    columns = {
        "routine": "", "dtype": "", "shape": "", "provider": "", "warm_us": ".1f", "noise_percent": ".0f", "cold_us": ".1f",
        "tflops": ".1f", "gb_per_s": ".0f", "percent_of_peak": ".0f", "launches": "", "problem": "",
    }  # fmt: skip
    cells = [list(columns)]
    for row in sorted(rows, key=lambda row: (row["routine"], row["dtype"])):
        cells.append([first_line(format(row[name], how)) if name in row else "" for name, how in columns.items()])
    widths = [max(map(len, column)) for column in zip(*cells)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells]


def e2e(seconds, log):
    target = WORK / "e2e.json"
    target.unlink(missing_ok=True)
    status, output = call(
        [sys.executable, ROOT / "scripts/bench_e2e.py", "--device", "cuda", "--seconds", int(seconds - 10), "--json", target,
         *(["--small"] if REHEARSAL else [])],
        seconds, log, TOPV_COMMAND=" ".join(map(str, topv())), HF_HUB_OFFLINE="1",
    )  # fmt: skip
    data = json.loads(target.read_text()) if target.exists() else {}
    return finished(status, tail(output, 30), data)


def sanitizer(seconds, log):
    """compute-sanitizer over the tests of the operations at small shapes; what runs out of time found nothing until then."""
    tool = shutil.which("compute-sanitizer") or "/usr/local/cuda/bin/compute-sanitizer"
    if not os.path.exists(tool):
        raise Ended("failed", "compute-sanitizer is not found")
    kinds = {"memcheck": ["--report-api-errors", "no"], "racecheck": [], "synccheck": []}  # tests provoke errors of the API
    jobs = {
        f"{kind}.{path.name}": [tool, "--tool", kind, *options, "--error-exitcode", "9", "--target-processes", "all", path]
        for kind, options in kinds.items()
        for path in native_tests()
    }
    probe = NATIVE / "bin/test_rms_norm"
    _, output = call([tool, "--tool", "memcheck", "--target-processes", "all", probe], seconds / 4, log, **(ON_DEVICE | {"TOPV_TEST_SMALL": "1"}))
    if "Device not supported" in output:
        return finished(0, ["compute-sanitizer does not support this machine's runtime: nothing was checked"])
    return verdict(side_by_side(jobs, seconds * 3 / 4, 8, TOPV_TEST_SMALL="1"))


SECTIONS = {
    "device": Section(90, device),
    "constants": Section(40, constants),
    "conformance": Section(40, conformance),
    "native": Section(100, native),
    "java": Section(100, java),
    "bench": Section(200, bench),
    "e2e": Section(180, e2e),
    "sanitizer": Section(150, sanitizer),
}  # fmt: skip
if REHEARSAL:
    del SECTIONS["constants"], SECTIONS["sanitizer"]  # they need a GPU
    for section in SECTIONS.values():
        section.seconds = 1200
NAMES = list(SECTIONS)
