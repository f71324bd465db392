"""scripts/gpu-check: see there."""

import argparse
import sys

import pack
import run
import sections


def main():
    parser = argparse.ArgumentParser(prog="scripts/gpu-check", description="Checks and measures topv on a GPU.")
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("pack", help="build what the other machine lacks into .gpu/")
    packing.add_argument("--jdk", help="JDK whose run-time image travels; default: Temurin 25, else JAVA_HOME")
    running = commands.add_parser("run", help="run sections and write the report")
    running.add_argument("sections", nargs="*", metavar="SECTION", help="of: " + " ".join(sections.NAMES))
    running.add_argument("--seconds", type=float, default=540, help="for all together; default: 540")
    options = parser.parse_args()
    if options.command == "pack":
        return pack.pack(options.jdk)
    unknown = set(options.sections) - set(sections.NAMES)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(sections.NAMES)}")
    return run.run(options.sections, options.seconds)


if __name__ == "__main__":
    sys.exit(main())
