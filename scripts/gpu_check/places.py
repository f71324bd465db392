"""Where things lie, in the tree and in what travels."""

import os
from pathlib import Path

# Set by scripts/gpu-check rehearse: the emulated device stands in for the GPU, nothing leaves target/.
REHEARSAL = os.environ.get("TOPV_GPU_REHEARSAL") == "1"

ROOT = Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "target/gpu-check" / ("rehearsal" if REHEARSAL else "")
PACKED = WORK / "packed" if REHEARSAL else ROOT / ".gpu"  # both ignored by git
UNPACKED = WORK / "unpacked"  # jre/ java/ native/
STATE = WORK / "state"  # a result per section
LOGS = WORK / "logs"

NATIVE = UNPACKED / "native"
JAVA = UNPACKED / "java"
