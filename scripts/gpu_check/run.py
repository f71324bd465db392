"""scripts/gpu-check run: sections, each at most once, within the time; after each the report of all that ran so far."""

import json
import os
import shutil
import tarfile
import time
import traceback

import report
import sections
from places import LOGS, PACKED, REHEARSAL, ROOT, STATE, UNPACKED, WORK

MOST_LOG_BYTES = 1 << 20  # of one log, in what comes back


def unpack():
    """What pack made, once."""
    commit = PACKED / "commit"
    if not commit.exists():
        raise SystemExit(f"gpu-check: {PACKED} is not here; make it with scripts/gpu-check pack")
    mark = UNPACKED / "commit"
    if mark.exists() and mark.read_text() == commit.read_text():
        return
    for directory in (UNPACKED, STATE, LOGS):  # of what was packed before
        shutil.rmtree(directory, ignore_errors=True)
    UNPACKED.mkdir(parents=True)
    for archive in PACKED.glob("*.tar.xz"):
        with tarfile.open(archive) as files:
            files.extractall(UNPACKED, filter="fully_trusted")
    shutil.copy(commit, mark)


def take(name, seconds):
    """Runs one section; its result says how it ended."""
    log = LOGS / f"{name}.log"
    start = time.monotonic()
    try:
        result = sections.SECTIONS[name].work(seconds, log)
    except sections.Ended as ended:
        result = ended.result
    except Exception:  # the others go on
        result = {"status": "failed", "lines": traceback.format_exc().splitlines()}
    result |= {"name": name, "seconds": round(time.monotonic() - start, 1)}
    print(f"gpu-check: {name}: {result['status']}, {result['seconds']} s", flush=True)
    for line in result.get("lines", []):
        print(f"           {line}", flush=True)
    return result


def results():
    return [json.loads(path.read_text()) for name in sections.NAMES if (path := STATE / f"{name}.json").exists()]


def pack_logs(out):
    """The ends of all logs."""
    shortened = WORK / "short"
    shutil.rmtree(shortened, ignore_errors=True)
    shortened.mkdir()
    for log in LOGS.iterdir():
        (shortened / log.name).write_bytes(log.read_bytes()[-MOST_LOG_BYTES:])
    with tarfile.open(f"{out}/logs.tar.gz", "w:gz") as archive:
        archive.add(shortened, "logs")


def run(named, seconds):
    end = time.monotonic() + seconds
    unpack()
    STATE.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    missing = sections.missing_device()
    if missing:
        print(f"gpu-check: no device: {missing}", flush=True)
        return 1
    out = os.environ.get("OUT")
    directory = WORK if REHEARSAL else out or ROOT / "docs/results"
    for name in named or sections.NAMES:
        state = STATE / f"{name}.json"
        if not named and state.exists() and json.loads(state.read_text())["status"] in ("passed", "failed"):
            continue
        left = end - time.monotonic()
        if left < sections.ENOUGH:
            result = {"name": name, "status": "no time left", "seconds": 0}
            print(f"gpu-check: {name}: no time left", flush=True)
        else:
            result = take(name, min(left, sections.SECTIONS[name].seconds))
        state.write_text(json.dumps(result, indent=1))
        report.write(results(), directory)
    if out:
        pack_logs(out)
    done = results()
    print(f"gpu-check: report in {report.write(done, directory)}", flush=True)
    return 0 if all(one["status"] == "passed" for one in done) and len(done) == len(sections.NAMES) else 1
