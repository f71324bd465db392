#!/usr/bin/env bash
# ptxas_report.sh <nvcc> <arguments>: compiles. What ptxas says about registers and stacks goes to <object>.ptxas, where
# cuda-kernels/check_resources.sh reads it; everything else to the terminal.
object=
previous=
for argument in "$@"; do
  [ "$previous" != -o ] || object=$argument
  previous=$argument
done
"$@" 2>"$object.ptxas"
status=$?
grep -vE '^ptxas info|^    [0-9]+ bytes stack frame' "$object.ptxas" >&2
exit $status
