#!/usr/bin/env bash
# check_resources.sh <object>...: fails where a kernel spills registers, keeps an array on the stack, or where ptxas warns
# (C7508, C7510, C7518: wgmma or setmaxnreg that it had to weaken). Prints kernels by architecture: how many forms, and the
# most registers and static shared memory of one. cmake/ptxas_report.sh has written what ptxas said.
set -euo pipefail
reports=()
for object in "$@"; do
  [[ $object != *.cu.* ]] || reports+=("$object.ptxas")
done
cat "${reports[@]}" | c++filt | awk '
  /^ptxas (warning|error)|\(C75[0-9][0-9]\)|Potential Performance Loss/ { print "FAILED", $0; bad = 1 }
  # Compiling entry function <name> for <architecture>: the name without its arguments, c++filt has left the quotes.
  /Compiling entry function/ {
    split($0, quoted, "\047")
    full = quoted[2]
    arch = quoted[4]
    name = full
    sub(/^void /, "", name)
    gsub(/\(anonymous namespace\)::/, "", name)
    sub(/[<(].*/, "", name)
    sub(/.*::/, "", name)
  }
  /bytes stack frame/ { stack = $1; spill = $5 }
  /Used [0-9]+ registers/ {
    match($0, /Used [0-9]+/)
    registers = substr($0, RSTART + 5, RLENGTH - 5) + 0
    shared = match($0, /[0-9]+ bytes smem/) ? substr($0, RSTART, RLENGTH - 11) + 0 : 0
    if (spill > 0 || stack > 0) {
      print "FAILED", arch ": " stack " bytes of stack, " spill " bytes spilled: " full
      bad = 1
    }
    key = sprintf("%-32s %-8s", name, arch)
    forms[key]++
    if (registers > most[key]) most[key] = registers
    if (shared > smem[key]) smem[key] = shared
  }
  END {
    printf "%-32s %-8s %6s %10s %14s\n", "kernel", "arch", "forms", "registers", "static shared"
    for (key in forms) printf "%s %6d %10d %14d\n", key, forms[key], most[key], smem[key] | "sort"
    close("sort")
    exit bad
  }'
