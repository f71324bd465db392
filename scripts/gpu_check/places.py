"""Where things lie, in the tree and in what travels."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKED = ROOT / ".gpu"  # ignored by git
WORK = ROOT / "target/gpu-check"
UNPACKED = WORK / "unpacked"  # jre/ java/ native/
STATE = WORK / "state"  # a result per section
LOGS = WORK / "logs"

NATIVE = UNPACKED / "native"
JAVA = UNPACKED / "java"
