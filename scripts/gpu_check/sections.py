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

from places import JAVA, LOGS, NATIVE, ROOT, UNPACKED, WORK

ENOUGH = 10  # seconds: with less left nothing is begun
LIBRARY_PATH = f"{NATIVE}/lib:" + os.environ.get("LD_LIBRARY_PATH", "")
ON_GPU = {"TOPV_TEST_BACKEND": "cuda", "LD_LIBRARY_PATH": LIBRARY_PATH}


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
    if not shutil.which("nvidia-smi"):
        return "nvidia-smi is not found"
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True)
    return "" if listed.returncode == 0 and "GPU 0" in listed.stdout else f"nvidia-smi -L: {listed.stdout}{listed.stderr}".strip()


def call(command, seconds, log, cwd=ROOT, **environment):
    """(exit status or None when it ran out of time, its output); appended to the log."""
    with open(log, "a", encoding="utf-8") as out:
        out.write(f"$ {' '.join(map(str, command))}\n")
    try:
        done = subprocess.run(
            [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            timeout=max(1, seconds), env=os.environ | environment, cwd=cwd,
        )  # fmt: skip
        status, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as expired:
        status, output = None, (expired.stdout or b"").decode(errors="replace")
    with open(log, "a", encoding="utf-8") as out:
        out.write(f"{output}\n[{'out of time' if status is None else status}]\n")
    return status, output


def finished(status, lines, data=None):
    name = "out of time" if status is None else "passed" if status == 0 else "failed"
    return {"status": name, "lines": lines, "data": data or {}}


def tail(output, count=8):
    return [line for line in output.splitlines() if line.strip()][-count:]


def topv(*arguments):
    """A command line of the CLI on the carried run-time image."""
    return [
        UNPACKED / "jre/bin/java", "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Dorg.bytedeco.javacpp.maxBytes=0",
        "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0", f"-Dorg.bytedeco.javacpp.cachedir={WORK}/javacpp",
        f"-Dtopv.native.directory={NATIVE}/lib", f"-Dtopv.home={ROOT}", "-cp", f"{JAVA}/lib/*", "io.topv.cli.Main", *arguments,
    ]  # fmt: skip


# ---- sections


def device(seconds, log):
    lines = []
    for command in (
        ["nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit", "--format=csv,noheader"],
        ["nvcc", "--version"],
        [sys.executable, "-c", "import torch; print('torch', torch.__version__, 'CUDA', torch.version.cuda)"],
    ):
        if shutil.which(command[0]):
            lines += tail(call(command, seconds / 4, log)[1], 1)
    status, output = call(topv("doctor"), seconds / 2, log)
    return finished(status, lines + [line for line in output.splitlines() if line.startswith(("gpu", "cuda", "topv"))])


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
    return finished(status, tail(output) if status else [f"{len(there)} lines, {same} of them as in the emulation"])


def native_tests():
    return sorted((NATIVE / "bin").glob("test_*"))


def side_by_side(jobs, seconds, workers):
    """Runs name -> command; name -> (status, output). Each may take what is left."""
    end = time.monotonic() + seconds
    results = {}

    def one(name, command):
        left = end - time.monotonic()
        results[name] = call(command, left, LOGS / f"{name}.log", **ON_GPU) if left > 1 else (None, "")

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for name, command in jobs.items():
            pool.submit(one, name, command)
    return results


def verdict(results):
    """failed before out of time before passed."""
    failed = {name: output for name, (status, output) in results.items() if status not in (0, None)}
    late = [name for name, (status, _) in results.items() if status is None]
    lines = [f"{len(results) - len(failed) - len(late)} of {len(results)} passed"]
    for name, output in failed.items():
        lines += [f"{name} failed:", *(f"  {line}" for line in tail(output, 4))]
    if late:
        lines.append("out of time: " + " ".join(late))
    return finished(1 if failed else None if late else 0, lines, {name: status for name, (status, _) in results.items()})


def native(seconds, log):
    """The tests of every operation, on the GPU."""
    return verdict(side_by_side({path.name: [path] for path in native_tests()}, seconds, 4))


def java(seconds, log):
    """The golden models and the interop tests, in JUnit, on the GPU."""
    classpath = ":".join([*map(str, (JAVA / "lib").glob("*.jar")), f"{JAVA}/test"])
    command = topv()[:-1]
    at = command.index("-cp")
    command[at + 1] = classpath
    command[at:at] = ["-Dtopv.test.backend=cuda", f"-Dtopv.root={ROOT}"]
    command += [
        "org.junit.platform.console.ConsoleLauncher", "execute", "--select-package=io.topv.engine.model",
        "--select-package=io.topv.runtime", "--include-tag=every-device", "--include-engine=junit-jupiter", "--details=tree", "--disable-banner",
        "--disable-ansi-colors",
    ]  # fmt: skip
    status, output = call(command, seconds, log, cwd=ROOT / "java/engine")
    counts = [line.strip(" []") for line in output.splitlines() if re.match(r"\[\s+\d+ tests (successful|failed|skipped)", line)]
    if status == 0 and not any(re.match(r"[1-9]\d* tests successful", line) for line in counts):
        return finished(1, ["no test ran", *tail(output)])
    return finished(status, counts + ([] if status == 0 else [line for line in output.splitlines() if "=>" in line][:20]))


def sanitizer(seconds, log):
    """compute-sanitizer over the tests of the operations; one that runs out of time found nothing until then."""
    tool = shutil.which("compute-sanitizer") or "/usr/local/cuda/bin/compute-sanitizer"
    if not os.path.exists(tool):
        raise Ended("failed", "compute-sanitizer is not found")
    jobs = {
        f"{kind}.{path.name}": [tool, "--tool", kind, "--error-exitcode", "9", "--target-processes", "all", path]
        for kind in ("memcheck", "racecheck", "synccheck")
        for path in native_tests()
    }
    probe = NATIVE / "bin/test_rms_norm"
    _, output = call([tool, "--tool", "memcheck", "--target-processes", "all", probe], seconds / 4, log, **ON_GPU)
    if "Device not supported" in output:
        return finished(0, ["compute-sanitizer does not support this machine's runtime: nothing was checked"])
    return verdict(side_by_side(jobs, seconds * 3 / 4, 8))


def bench(seconds, log):
    """Ours and FlashAttention's providers beside PyTorch, routine by routine until the time is over."""
    end = time.monotonic() + seconds
    providers = "cuda,flash_topv,flash_torch,torch,torch_compile"
    kernel = topv("bench", "kernel", "--provider", providers, "--python", sys.executable, "--seconds", "0.1")
    status, listed = call([*kernel, "--list"], seconds, log)
    routines = list(dict.fromkeys(line.split()[0] for line in listed.splitlines() if "dtype=" in line))
    rows, failed, late = [], [] if routines else ["--list"], []
    for routine in routines:
        target = WORK / f"{routine}.json"
        target.unlink(missing_ok=True)
        left = end - time.monotonic()
        status = None
        if left > ENOUGH:
            status, _ = call([*kernel, "--routine", routine, "--format", "json", "--output", target], left, log)
        (late if status is None else failed if status else []).append(routine)
        if target.exists():
            rows += json.loads(target.read_text())["results"]
    lines = [" ".join(f"{name}={value}" for name, value in row.items() if name != "command") for row in rows]
    lines += [f"failed: {' '.join(failed)}"] if failed else []
    lines += [f"out of time: {' '.join(late)}"] if late else []
    return finished(1 if failed else None if late else 0, lines, {"kernels": rows})


def e2e(seconds, log):
    target = WORK / "e2e.json"
    status, output = call(
        [sys.executable, ROOT / "scripts/bench_e2e.py", "--device", "cuda", "--seconds", int(seconds - 10), "--json", target],
        seconds, log, TOPV_COMMAND=" ".join(map(str, topv())), PYTHONPATH=str(ROOT / "scripts"),
    )  # fmt: skip
    data = json.loads(target.read_text()) if target.exists() else {}
    return finished(status, tail(output, 20), data)


SECTIONS = {
    "device": Section(40, device),
    "constants": Section(40, constants),
    "conformance": Section(40, conformance),
    "native": Section(100, native),
    "java": Section(100, java),
    "sanitizer": Section(120, sanitizer),
    "bench": Section(120, bench),
    "e2e": Section(180, e2e),
}
NAMES = list(SECTIONS)
