# SPDX-License-Identifier: Apache-2.0
# The parts of ./dev: packages, builds, tests, lint. Sourced with the repository as working folder.
# shellcheck shell=bash

export HERALD_BIN="${HERALD_BIN:-$PWD/build/release/bin}"
export HERALD_TEST_DATA="${HERALD_TEST_DATA:-}"

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'; else bold='' red='' plain=''; fi
say() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }
die() { printf '%s%s%s\n' "$red" "$*" "$plain" >&2; exit 1; }

# The packages of the named groups that are not here yet. A daemon that comes with a package must not
# start on the developer's machine, so service starts are refused while apt runs.
install_packages() {
  local missing=() group package provides
  while read -r group package provides; do
    [[ " $* " == *" $group "* ]] || continue
    [ -n "$provides" ] && command -v "$provides" >/dev/null && continue
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done < <(grep -v '^#' tools/packages.txt)
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || die "these Debian packages are missing; run as root, or install them: ${missing[*]}"
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  local policy=/usr/sbin/policy-rc.d made=''
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
    made=1
  fi
  local log status=0
  log=$(mktemp)
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 || status=$?
  [ -z "$made" ] || rm -f $policy
  [ $status = 0 ] || { tail -n 30 "$log" >&2; die "apt-get failed (exit $status); the whole output is in $log"; }
  rm -f "$log"
}

patience=''
# What the labs use beside them.
tools_of_labs=(bgp_blast fib_insert arp_blast arp_reply)
# What users install.
programs=(herald-speaker herald-controller heraldctl)

build() { # PRESET [TARGET...]
  local preset=$1
  shift
  [ "$preset" != asan ] && [ "$preset" != fuzz ] && [ "$preset" != tidy ] || install_packages test
  [ "$preset" != tidy ] || install_packages lint
  say "building $preset in build/$preset"
  # A build folder keeps the test data that it was made with until other data is named.
  if [ ! -e "build/$preset/build.ninja" ] || { [ -n "$HERALD_TEST_DATA" ] &&
    [ "$(sed -n 's/^HERALD_TEST_DATA:PATH=//p' "build/$preset/CMakeCache.txt")" != "$HERALD_TEST_DATA" ]; }; then
    cmake --preset "$preset" -DHERALD_TEST_DATA="$HERALD_TEST_DATA" >"build.$$.log" 2>&1 || { cat "build.$$.log" >&2; rm -f "build.$$.log"; die "cmake failed"; }
    rm -f "build.$$.log"
  fi
  # $patience: empty, or what makes the compiler give way to others.
  if [ -t 1 ]; then $patience ninja -C "build/$preset" "$@"; else $patience ninja -C "build/$preset" --quiet "$@"; fi
}

sources() { git ls-files --cached --others --exclude-standard -- '*.cpp' '*.hpp'; }

check_format() {
  say "clang-format"
  sources | xargs clang-format-14 --dry-run -Werror
}

# The Kubernetes server for tests is built once per machine; `./dev test` uses it where it is already.
test_kubernetes() {
  [ "$(id -u)" = 0 ] || die "the tests make network namespaces: run ./dev test as root"
  install_packages build lab test
  tools/kubernetes/server.sh build >/dev/null
  build release "${programs[@]}"
  say "Kubernetes"
  /usr/bin/python3 -m pytest -q -p no:cacheprovider -m kubernetes integration
}

# A share of the tests of one binary; a line when they pass, else what they said.
share_of_binary() { # BINARY SHARE OF
  local log=$1.$2.log status=0 ran
  GTEST_SHARD_INDEX=$2 GTEST_TOTAL_SHARDS=$3 timeout 900 "$1" >"$log" 2>&1 || status=$?
  ran=$(sed -n 's/^\[==========\] \(.* tests\) from .* ran\. (\(.*\) total)$/\1 in \2/p' "$log")
  if [ $status = 0 ]; then
    printf '%-16s %s\n' "${1##*/}" "$ran"
  else
    grep -vE '^\[( RUN      |       OK |----------)' "$log" | tail -n 200
    printf '%s%-16s exit %s; the last that began: %s%s\n' "$red" "${1##*/}" $status "$(sed -n 's/^\[ RUN      \] //p' "$log" | tail -n 1)" "$plain"
  fi
  return $status
}

# Without a filter each processor gets a share of each binary: to start it anew for each test takes longer than most do.
unit_tests() { # PRESET [FILTER]
  local status=0 share shares=() binary all=(ctest --test-dir "build/$1" --output-on-failure -j "$(nproc)" --no-tests=ignore)
  if [ -n "${2:-}" ]; then "${all[@]}" -R "$2"; return; fi
  export -f share_of_binary
  export red plain
  for binary in "build/$1"/bin/*_test; do
    for ((share = 0; share < $(nproc); share++)); do shares+=("$binary" "$share" "$(nproc)"); done
  done
  printf '%s\n' "${shares[@]}" | xargs -P "$(nproc)" -n 3 bash -c 'share_of_binary "$@"' _ || status=1
  "${all[@]}" -LE unit --quiet -O "build/$1/ctest.log" || { cat "build/$1/ctest.log"; status=1; }
  return $status
}

test_preset() { # PRESET [FILTER]
  [ "$(id -u)" = 0 ] || die "the tests make network namespaces: run ./dev test as root"
  install_packages build lab test
  build "$1"
  say "unit tests, $1"
  unit_tests "$1" "${2:-}"
}

# Says for how long a command runs, where somebody looks on, and what it said if it fails.
timed() { # WHAT COMMAND...
  local what=$1 log status=0 began=$SECONDS
  log=$(mktemp)
  shift
  say "$what"
  "$@" >"$log" 2>&1 &
  local pid=$!
  # shellcheck disable=SC2064 # now, not then
  trap "kill $pid 2>/dev/null || true; rm -f $log" EXIT
  while [ -t 1 ] && kill -0 $pid 2>/dev/null; do printf '\r%s s ' $((SECONDS - began)); sleep 1; done
  [ ! -t 1 ] || printf '\r'
  wait $pid || status=$?
  if [ $status = 0 ]; then echo "passed in $((SECONDS - began)) s"; else cat "$log"; fi
  rm -f "$log"
  trap - EXIT
  return $status
}

# Random courses as many and as long as no change can wait for; some are among the unit tests.
test_long() {
  local binary=build/release/bin/bgp_test status=0
  [ "$(id -u)" = 0 ] || die "one of the tests makes network namespaces: run ./dev test long as root"
  install_packages build lab test
  build release bgp_test "${programs[@]}" "${tools_of_labs[@]}"
  timed "10,000 courses of two routers, and a restart after each step of one: about half a minute" \
    env HERALD_PAIR_SEEDS=10000 $binary --gtest_filter='TwoRouters.*' || status=1
  timed "24 hours of a router with 50 neighbours: three to four minutes" \
    env HERALD_CHURN_HOURS=24 $binary --gtest_filter='RouterChurn.*' || status=1
  timed "a neighbour that takes nothing for the send hold time: eight minutes" \
    env HERALD_TEST_LONG=1 /usr/bin/python3 -m pytest -q -p no:cacheprovider integration/test_send_hold_timer.py || status=1
  [ $status = 0 ] && say "all long tests passed" || die "some long tests failed: see above"
}

# Labs wait for timers most of the time, so several run at once; each has namespaces and a name of its own.
labs() { # [FILTER]
  local status=0
  /usr/bin/python3 -m pytest -q -p no:cacheprovider -n 3 --dist loadfile integration ${1:+-k "$1"} || status=$?
  # 5: no lab has that name, which is not a failure when a filter was given.
  [ $status = 0 ] || { [ $status = 5 ] && [ -n "${1:-}" ]; }
}

# The labs run beside the build of the unit tests, which takes about as long as they do.
run_tests() { # [FILTER]
  local filter=${1:-} status=0 log
  [ "$(id -u)" = 0 ] || die "the tests make network namespaces: run ./dev test as root"
  install_packages build lab test
  check_format || status=1
  build release "${programs[@]}" "${tools_of_labs[@]}"
  say "labs with real peers begin; what they say follows below"
  log=$(mktemp)
  labs "$filter" >"$log" 2>&1 &
  local labs_pid=$!
  # Labs that are cut short are cleaned up by the next run.
  # shellcheck disable=SC2064 # now, not then
  trap "pkill -P $labs_pid || true; rm -f $log" EXIT
  patience='nice -n 10'
  if build release; then
    say "unit tests"
    unit_tests release "$filter" || status=1
  else
    status=1
  fi
  # All of them run with sanitizers by ./dev test sanitizers, which takes too long for every change.
  say "what reads the wire, with sanitizers"
  build asan bgp_wire_test && build/asan/bin/bgp_wire_test --gtest_brief=1 || status=1
  wait $labs_pid || status=1
  say "labs with real peers"
  cat "$log"
  [ $status = 0 ] && say "all tests passed" || die "some tests failed: see above"
}

lint() { # [--all]
  check_format
  say "layers"
  tests/layers.sh
  say "manual pages"
  mandoc -Tlint -W warning docs/man/*.[1-8]
  local base files
  base=$(git merge-base HEAD origin/main 2>/dev/null || git rev-list --max-parents=0 HEAD | tail -n 1)
  files=$(git diff --name-only --diff-filter=d "$base" -- '*.cpp' | grep -vE '^(tests|cmake)/' || true)
  [ "${1:-}" != --all ] || files=$(git ls-files -- '*.cpp' | grep -vE '^(tests|cmake)/')
  [ -n "$files" ] || { say "no changed sources for clang-tidy"; return 0; }
  say "clang-tidy over $(wc -w <<<"$files") files"
  # Nothing is compiled here, so there are no precompiled headers.
  cmake --preset tidy -DHERALD_TIDY=OFF -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >/dev/null
  xargs -P "$(nproc)" -n 4 clang-tidy-14 --quiet -p build/tidy <<<"$files"
}

# What there is to measure, with the first sentence that each says of itself. Python programs build what they drive;
# C++ programs are called FOLDER_WHAT_bench, and WHAT is enough to name one when it is not ambiguous.
list_benchmarks() {
  local file name
  say "benchmarks: ./dev bench NAME [ARGUMENTS]; all need a quiet machine"
  for file in tests/bench/*.py tests/bench/*/__main__.py; do
    grep -q '^if __name__' "$file" || continue
    name=${file#tests/bench/} name=${name%/__main__.py} name=${name%.py}
    printf '  %-22s %s\n' "$name" "$(sed -n 's/^"""\(.*\)$/\1/p' "$file" | head -n 1 | sed 's/"""$//')"
  done
  for file in tests/bench/*_bench.cpp; do
    name=${file##*/}
    printf '  %-22s %s\n' "${name%_bench.cpp}" "$(sed -n '2s,^// ,,p' "$file")"
  done
}

bench() { # NAME [ARGUMENT...]
  local name=${1:-} found more=()
  [ -n "$name" ] || { list_benchmarks; return 0; }
  shift
  if [ -e "tests/bench/$name.py" ] || [ -e "tests/bench/$name/__main__.py" ]; then
    install_packages lab bench
    [[ " $* " != *" --all "* ]] || more=(netlink_fib_bench controller_allocate_bench)
    build release "${programs[@]}" "${tools_of_labs[@]}" "${more[@]}"
    exec /usr/bin/python3 -m "tests.bench.$name" "$@"
  fi
  found=(tests/bench/"$name"_bench.cpp)
  [ -e "${found[0]}" ] || found=(tests/bench/*_"$name"_bench.cpp)
  { [ ${#found[@]} = 1 ] && [ -e "${found[0]}" ]; } || { list_benchmarks >&2; die "no benchmark named $name"; }
  found=${found[0]##*/} found=${found%.cpp}
  build release "$found"
  "build/release/bin/$found" "$@"
}

fuzz_targets() {
  local targets=(tests/fuzz/*_fuzz.cpp)
  targets=("${targets[@]##*/}")
  printf '%s\n' "${targets[@]%.cpp}"
}

fuzz_all() { # SECONDS [TARGET...]
  local seconds=$1 targets
  shift
  # Not the unit tests, which this preset could build as well.
  [ $# -gt 0 ] && targets=("$@") || mapfile -t targets < <(fuzz_targets)
  build fuzz "${targets[@]}"
  exec tools/fuzz_all.py "$seconds" "${targets[@]}"
}

fuzz() { # TARGET SECONDS
  local targets
  mapfile -t targets < <(fuzz_targets)
  if [ -z "$1" ]; then printf '%s\n' "${targets[@]}"; return 0; fi
  [[ " ${targets[*]} " == *" $1 "* ]] || die "no fuzz target named $1; there are: ${targets[*]}"
  build fuzz "$1"
  local found="build/fuzz/corpus/$1"
  mkdir -p "$found"
  say "fuzzing $1 for $2 s; new inputs go to $found"
  "build/fuzz/bin/$1" -max_total_time="$2" -timeout=10 -artifact_prefix="build/fuzz/$1-" "$found" "tests/fuzz/corpus/$1"
}
