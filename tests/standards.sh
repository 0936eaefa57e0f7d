#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every file and every test that docs/standards.md names exists.
set -euo pipefail
cd "$(dirname "$0")/.."

status=0
complain() { echo "docs/standards.md: $*" >&2; status=1; }

named() { grep '^| [0-9]' docs/standards.md | cut -d'|' -f4- | grep -oE '`[^`]+`' | tr -d '`' | sort -u; }

known=$(grep -rhoE '^TEST(_[FP])?\([A-Za-z0-9_]+, [A-Za-z0-9_]+\)' tests --include='*.cpp' | sed -E 's/^TEST(_[FP])?\(//; s/, /./; s/\)$//')
for name in $(named); do
  case $name in
    test_*.py) [ -e "integration/$name" ] || complain "there is no integration/$name" ;;
    */*) [ -e "$name" ] || complain "there is no $name" ;;
    *.*) grep -qx "$name" <<<"$known" || complain "there is no test $name" ;;
    *) complain "$name is neither a file nor a test" ;;
  esac
done
[ "$(named | wc -l)" -gt 30 ] || complain "the table was not read"
exit $status
