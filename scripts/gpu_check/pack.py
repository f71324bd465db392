"""scripts/gpu-check pack: a Java run-time image, our jars and tests, and the natives, built for Hopper, in .gpu/."""

import datetime
import fnmatch
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from places import PACKED, REHEARSAL, ROOT, WORK

MOST_BYTES = 60_000_000  # with the tree
MODULES = "java.base,java.logging,java.management,java.xml,jdk.unsupported"
# Of Java only what runs a model without a tokenizer, on a GPU, and JUnit.
JARS = ["javacpp-*", "cuda-*", "jackson-*", "picocli-*", "assertj-core-*", "slf4j-*"]
CUDA_PRESET = "*/libjnicudart.so"  # of the preset's libraries
TESTS = {"runtime": "io/topv/runtime", "engine": "io/topv/engine/model"}
JUNIT = "org.junit.platform:junit-platform-console-standalone:1.14.4"


def call(*command, **options):
    print("gpu-check:", " ".join(map(str, command)), flush=True)
    return subprocess.run([str(word) for word in command], check=True, cwd=ROOT, **options)


def maven(*arguments):
    call(*os.environ.get("MAVEN", "mvn").split(), "-q", *arguments)


def fresh(directory):
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def compress(directory, name):
    with tarfile.open(PACKED / f"{name}.tar.xz", "w:xz", preset=9) as archive:
        archive.add(directory, name)


def copy_jar(jar, directory):
    """Without the native libraries of the CUDA preset that we do not call."""
    with zipfile.ZipFile(jar) as old, zipfile.ZipFile(directory / jar.name, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if not (fnmatch.fnmatch(name, "org/bytedeco/cuda/linux*.so") and not fnmatch.fnmatch(name, CUDA_PRESET)):
                new.writestr(name, old.read(name))


def java():
    """java/lib: jars; java/test: classes of the tests that a GPU can run."""
    target = fresh(WORK / "java")
    dependencies = fresh(WORK / "dependencies")
    maven(
        "-pl", "java/cli", "-am", "-DskipTests", "-Dtopv.native.preset=build", "-Dtopv.cuda=OFF", "-Pcuda-runtime",
        "package", "dependency:copy-dependencies", "-DincludeScope=test", f"-DoutputDirectory={dependencies}",
    )  # fmt: skip
    maven("-N", "dependency:copy", f"-Dartifact={JUNIT}", f"-DoutputDirectory={target}/lib")
    for jar in [*dependencies.glob("*.jar"), *(ROOT / "java/cli/target/lib").glob("*.jar")]:
        if any(fnmatch.fnmatch(jar.name, pattern) for pattern in JARS):
            copy_jar(jar, target / "lib")
    for module in ("flash-attention", "runtime", "engine", "cli"):
        for jar in (ROOT / f"java/{module}/target").glob("topv-*.jar"):
            shutil.copy(jar, target / "lib")
    for module, package in TESTS.items():
        shutil.copytree(ROOT / f"java/{module}/target/test-classes" / package, target / "test" / package)
    compress(target, "java")


def natives():
    """native/lib: libraries; native/bin: tests, conformance and the constants; built for Hopper alone, or emulated."""
    build = WORK / "cmake"
    call(
        "cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DTOPV_CPU=OFF",
        f"-DTOPV_CUDA={'OFF' if REHEARSAL else 'ON'}", "-DCMAKE_CUDA_ARCHITECTURES=90a-real",
    )  # fmt: skip
    tests = sorted(source.stem for source in (ROOT / "native/test").glob("test_*.cpp"))
    tools = ["conformance"] if REHEARSAL else ["conformance", "conformance_cuda", "bench_constants"]
    call("ninja", "-C", build, "topv", "topv_simt" if REHEARSAL else "topv_cuda", *tests, *tools)
    target = fresh(WORK / "native")
    (target / "lib").mkdir()
    (target / "bin").mkdir()
    built = {path.name: path for path in build.rglob("*") if path.is_file() and os.access(path, os.X_OK)}
    travelling = {"lib/libtopv.so.1": build / "lib/libtopv.so.1"} | {f"bin/{name}": built[name] for name in tests}
    if REHEARSAL:
        emulation = build / "lib/libtopv_simt.so"
        travelling |= {"lib/libtopv_simt.so": emulation, "lib/libtopv_cuda.so": emulation, "bin/conformance_cuda": built["conformance"]}
    else:
        travelling |= {"lib/libtopv_cuda.so": build / "lib/libtopv_cuda.so"}
        travelling |= {f"bin/{name}": built[name] for name in ("conformance_cuda", "bench_constants")}
    for name, source in travelling.items():
        shutil.copy(source, target / name)
        call("strip", "--strip-unneeded", target / name)
    emulated = call(built["conformance"], stdout=subprocess.PIPE, text=True).stdout
    (target / "conformance.txt").write_text(emulated)
    compress(target, "native")


def runtime_image(jdk):
    image = WORK / "jre"
    shutil.rmtree(image, ignore_errors=True)
    call(
        f"{jdk}/bin/jlink", "--add-modules", MODULES, "--strip-debug", "--no-header-files", "--no-man-pages",
        "--output", image,
    )  # fmt: skip
    compress(image, "jre")


def find_jdk(given):
    candidates = [given] if given else sorted(map(str, Path("/usr/lib/jvm").glob("temurin-25*"))) + [os.environ.get("JAVA_HOME")]
    for candidate in candidates:
        if candidate and Path(candidate, "bin/jlink").exists():
            return candidate
    sys.exit("gpu-check: no JDK with jlink; Temurin needs no library of the other machine: name one with --jdk")


def size_of_tree():
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], check=True, cwd=ROOT, capture_output=True)
    paths = [ROOT / name for name in files.stdout.decode().split("\0") if name]
    return sum(path.stat().st_size for path in paths if path.is_file())


def pack(jdk):
    jdk = find_jdk(jdk)
    fresh(PACKED)
    java()
    natives()
    runtime_image(jdk)
    commit = call("git", "describe", "--always", "--dirty", stdout=subprocess.PIPE, text=True).stdout.strip()
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    (PACKED / "commit").write_text(f"{commit}, packed {now}\n")
    sizes = {path.name: path.stat().st_size for path in sorted(PACKED.iterdir())}
    total = sum(sizes.values()) + size_of_tree()
    for name, size in sizes.items():
        print(f"gpu-check: .gpu/{name}: {size / 1e6:.1f} MB")
    print(f"gpu-check: with the tree {total / 1e6:.1f} MB of {MOST_BYTES / 1e6:.0f}")
    return 0 if total <= MOST_BYTES else 1
