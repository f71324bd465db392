# Shared by the scripts: names what is missing with the line that installs it, and starts Maven.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
built=$root/java/cli/target/built # as new as the last whole build

need() { # need COMMAND DEBIAN_PACKAGE
  command -v "$1" >/dev/null 2>&1 && return
  echo "topv: $1 is missing; on Debian or Ubuntu: apt-get install -y $2" >&2
  missing=1
}

need_tools() {
  missing=
  need javac openjdk-17-jdk-headless
  need cmake cmake
  need ninja ninja-build
  need g++ g++
  [ -z "$missing" ] || exit 1
  local version
  version=$(javac -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
  if [ "${version:-0}" -lt 17 ]; then
    echo "topv: javac is version ${version:-unknown}, 17 or newer is needed; on Debian or Ubuntu: apt-get install -y openjdk-17-jdk-headless" >&2
    exit 1
  fi
}

# The installed Maven where it is new enough, else the wrapper (which downloads one).
maven() {
  if command -v mvn >/dev/null 2>&1; then mvn "$@"; else "$root/mvnw" "$@"; fi
}
