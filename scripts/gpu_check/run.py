"""scripts/gpu-check run: sections, each at most once, within the time; then the report of all that ran so far."""

import json
import os
import shutil
import tarfile
import time

import report
import sections
from places import LOGS, PACKED, ROOT, STATE, UNPACKED

def unpack():
    """What pack made, newest first."""
    commit = PACKED / "commit"
    if not commit.exists():
        raise SystemExit("gpu-check: .gpu/ is not here; make it with scripts/gpu-check pack")
    mark = UNPACKED / "commit"
    if mark.exists() and mark.stat().st_mtime_ns == commit.stat().st_mtime_ns:
        return
    for directory in (UNPACKED, STATE, LOGS):  # of what was packed before
        shutil.rmtree(directory, ignore_errors=True)
    UNPACKED.mkdir(parents=True)
    for archive in PACKED.glob("*.tar.xz"):
        with tarfile.open(archive) as files:
            files.extractall(UNPACKED)
    shutil.copy2(commit, mark)


def take(name, seconds):
    """Runs one section; its result says how it ended."""
    log = LOGS / f"{name}.log"
    start = time.monotonic()
    try:
        result = sections.SECTIONS[name].work(seconds, log)
    except sections.Ended as ended:
        result = ended.result
    result |= {"name": name, "seconds": round(time.monotonic() - start, 1)}
    print(f"gpu-check: {name}: {result['status']}, {result['seconds']} s", flush=True)
    for line in result.get("lines", []):
        print(f"           {line}", flush=True)
    return result


def run(named, seconds):
    end = time.monotonic() + seconds
    unpack()
    STATE.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    missing = sections.missing_device()
    for name in named or sections.NAMES:
        state = STATE / f"{name}.json"
        if not named and state.exists() and json.loads(state.read_text())["status"] in ("passed", "failed"):
            continue
        left = end - time.monotonic()
        if missing:
            result = {"name": name, "status": "no device", "seconds": 0, "lines": [missing]}
            print(f"gpu-check: {name}: no device: {missing}", flush=True)
        elif left < sections.ENOUGH:
            result = {"name": name, "status": "no time left", "seconds": 0}
            print(f"gpu-check: {name}: no time left", flush=True)
        else:
            result = take(name, min(left, sections.SECTIONS[name].seconds))
        state.write_text(json.dumps(result, indent=1))
    results = [json.loads(path.read_text()) for name in sections.NAMES if (path := STATE / f"{name}.json").exists()]
    if missing:
        return 1
    out = os.environ.get("OUT")
    report.write(results, out or ROOT / "docs/results")
    if out:
        with tarfile.open(f"{out}/logs.tar.gz", "w:gz") as archive:
            archive.add(LOGS, "logs")
    return 0 if all(result["status"] == "passed" for result in results) and len(results) == len(sections.NAMES) else 1
