"""scripts/gpu-check pack: a Java run-time image, our jars and tests, and the natives, built for Hopper, in .gpu/."""

import fnmatch
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from places import PACKED, ROOT, WORK

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
    maven("-DskipTests", "-Dtopv.native.preset=build", "-Pcuda-runtime", "install")
    target = fresh(WORK / "java")
    dependencies = fresh(WORK / "dependencies")
    maven("-pl", "java/engine", "dependency:copy-dependencies", "-DincludeScope=test", f"-DoutputDirectory={dependencies}")
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
    """native/lib: libraries; native/bin: tests, conformance and the constants; built for Hopper alone."""
    build = WORK / "cmake"
    dnnl = ROOT / "target/dnnl/org/bytedeco/dnnl/linux-x86_64"
    call(
        "cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DTOPV_CUDA=ON",
        "-DCMAKE_CUDA_ARCHITECTURES=90a-real", f"-DTOPV_DNNL_DIR={dnnl}",
    )  # fmt: skip
    tests = sorted(source.stem for source in (ROOT / "native/test").glob("test_*.cpp"))
    tools = ["conformance", "conformance_cuda", "bench_constants"]
    call("ninja", "-C", build, "topv", "topv_cuda", *tests, *tools)
    target = fresh(WORK / "native")
    (target / "lib").mkdir()
    (target / "bin").mkdir()
    for library in ("libtopv.so.1", "libtopv_cuda.so"):
        shutil.copy(build / "lib" / library, target / "lib")
    built = {path.name: path for path in build.rglob("*") if path.is_file() and os.access(path, os.X_OK)}
    for name in [*tests, "conformance_cuda", "bench_constants"]:
        shutil.copy(built[name], target / "bin")
    for path in [*target.glob("lib/*"), *target.glob("bin/*")]:
        call("strip", "--strip-unneeded", path)
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
    (PACKED / "commit").write_text(commit + "\n")
    sizes = {path.name: path.stat().st_size for path in sorted(PACKED.iterdir())}
    total = sum(sizes.values()) + size_of_tree()
    for name, size in sizes.items():
        print(f"gpu-check: .gpu/{name}: {size / 1e6:.1f} MB")
    print(f"gpu-check: with the tree {total / 1e6:.1f} MB of {MOST_BYTES / 1e6:.0f}")
    return 0 if total <= MOST_BYTES else 1
