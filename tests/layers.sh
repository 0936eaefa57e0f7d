#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Holds the dependency rule of ARCHITECTURE.md: which folder may include headers of which.
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A may=(
  [net]="net"
  [bgp]="bgp net"
  [bfd]="bfd net"
  [netlink]="netlink net"
  [config]="config net"
  [speaker]="speaker bgp bfd netlink config net"
  [controller]="controller config net"
  [insight]="insight controller speaker bgp bfd config net"
  [ctl]="ctl config net bgp/mrt bgp/wire"
)
# Third-party words that a pure folder must not say: I/O, clocks, logs, text formats.
declare -A never=(
  [net]='boost/|spdlog|fmt/|nlohmann|yaml-cpp|sys/socket|::now\(|std::cerr|std::cout'
  [bgp]='boost/|spdlog|fmt/|nlohmann|yaml-cpp|sys/socket|::now\(|std::cerr|std::cout'
  [bfd]='boost/|spdlog|fmt/|nlohmann|yaml-cpp|sys/socket|::now\(|std::cerr|std::cout'
)

status=0
for folder in "${!may[@]}"; do
  [ -d "$folder" ] || continue
  allowed=$(tr ' ' '|' <<<"${may[$folder]}")
  wrong=$(grep -rnE '#include "(net|bgp|bfd|netlink|config|speaker|controller|insight|ctl|tests)/' "$folder" --include='*.?pp' |
    grep -vE "#include \"($allowed)/|^(controller|ctl)/main.cpp:[0-9]+:#include \"insight/" || true)
  if [ -n "$wrong" ]; then
    printf '%s/ may include only: %s\n%s\n' "$folder" "${may[$folder]}" "$wrong"
    status=1
  fi
  if [ -n "${never[$folder]:-}" ]; then
    wrong=$(grep -rnE "${never[$folder]}" "$folder" --include='*.?pp' || true)
    if [ -n "$wrong" ]; then
      printf '%s/ is pure and must not use:\n%s\n' "$folder" "$wrong"
      status=1
    fi
  fi
done
wrong=$(grep -rlE '#include <yaml-cpp' . --include='*.?pp' | grep -v '^./build/' | grep -v '^./config/' || true)
[ -z "$wrong" ] || { printf 'yaml-cpp is included outside config/: %s\n' "$wrong"; status=1; }
wrong=$(grep -rlE '#include <libmnl' . --include='*.?pp' | grep -v '^./build/' | grep -v '^./netlink/' || true)
[ -z "$wrong" ] || { printf 'libmnl is included outside netlink/: %s\n' "$wrong"; status=1; }
exit $status
