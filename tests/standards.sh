#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every row of docs/standards.md names an RFC, its sections, code, unit tests and labs, and all of them exist.
set -euo pipefail
cd "$(dirname "$0")/.."

status=0
complain() { echo "docs/standards.md:$number: $*" >&2; status=1; }

names() { awk -F'`' '{ for (place = 2; place <= NF; place += 2) print $place }' <<<"$1"; }

# What is there: Suite.Test, and the rows of tests with parameters.
units=$(grep -rhoE '^TEST(_[FP])?\([A-Za-z0-9_]+, [A-Za-z0-9_]+\)' tests --include='*.cpp' | sed -E 's/^TEST(_[FP])?\(//; s/, /./; s/\)$//')
parameters=$(grep -rhoE 'Row\{"[A-Za-z0-9_]+"' tests --include='*.cpp' | cut -d'"' -f2)

check_rfcs() { # RFCs, sections: with several RFCs each has its own
  local rfc
  grep -qE '[0-9]' <<<"$2" || grep -q '"' <<<"$2" || complain "no section of RFC $1"
  [[ $1 == *,* ]] || return 0
  for rfc in ${1//,/ }; do
    grep -qE "(^|; )$rfc: [0-9\"]" <<<"$2" || complain "no section of RFC $rfc"
  done
}

check_code() {
  local path
  [ -n "$(names "$1")" ] || complain "no code"
  for path in $(names "$1"); do [ -e "$path" ] || complain "there is no $path"; done
}

check_units() {
  local name
  [ -n "$(names "$1")" ] || complain "no unit test"
  for name in $(names "$1"); do
    case $name in
      */*) [ -e "$name" ] || complain "there is no $name" ;;
      *.*) grep -qx "$name" <<<"$units" || complain "there is no test $name" ;;
      *) grep -qx "$name" <<<"$parameters" || complain "there is no row $name of a test" ;;
    esac
  done
}

check_labs() {
  local file name
  [[ $1 != "none: "?* ]] || return 0
  [ -n "$(names "$1")" ] || complain "no lab, and no reason"
  while IFS=': ' read -r file name; do
    [ -z "$file" ] || grep -qs "^def test_$name(" "integration/$file" || complain "there is no test_$name in integration/$file"
  done < <(names "$1")
}

rows=0
while IFS='|' read -r number rfcs sections what code unit lab rest; do
  number=${number%%:*} rfcs=${rfcs# } rfcs=${rfcs% } sections=${sections# } sections=${sections% } lab=${lab# }
  rows=$((rows + 1))
  if [ -z "${what// /}" ] || [ -n "$rest" ]; then complain "a row has six columns"; fi
  check_rfcs "$rfcs" "$sections"
  check_code "$code"
  check_units "$unit"
  check_labs "$lab"
done < <(grep -nE '^\| ([0-9]|draft-)' docs/standards.md)
number=1
[ "$rows" -gt 50 ] || complain "the table was not read"
exit $status
