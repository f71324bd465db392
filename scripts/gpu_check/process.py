"""Starts programs, and ends them with all that they started."""

import contextlib
import os
import signal
import subprocess
import sys

from places import NATIVE, ROOT

# Python's environment tells our libraries where PyTorch and cuBLASLt are.
ENVIRONMENT = {
    "LD_LIBRARY_PATH": f"{NATIVE}/lib:" + os.environ.get("LD_LIBRARY_PATH", ""),
    "VIRTUAL_ENV": sys.prefix,
    "PYTHONUNBUFFERED": "1",
}


def end(process):
    """Kills what is left of its group; one that hangs in the driver stays."""
    with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def call(command, seconds, log, cwd=ROOT, **environment):
    """(exit status or None when it ran out of time, its output); the output goes to the log as it comes."""
    command = [str(word) for word in command]
    with open(log, "a+b") as out:
        out.write(f"$ {' '.join(command)}\n".encode())
        out.flush()
        start = out.tell()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=cwd, process_group=0,
            env=os.environ | ENVIRONMENT | environment,
        )  # fmt: skip
        status = None
        try:
            status = process.wait(max(1, seconds))
        except subprocess.TimeoutExpired:
            pass
        finally:
            end(process)
        out.seek(start)
        output = out.read().decode(errors="replace")
        out.write(f"\n[{'out of time' if status is None else status}]\n".encode())
    return status, output
