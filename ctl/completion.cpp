// SPDX-License-Identifier: Apache-2.0
// Completion scripts. Words are the same in both shells; names of objects and peers are asked for while completing,
// by heraldctl itself with what stands on the command line.
#include <string>

#include "config/api_paths.hpp"
#include "ctl/commands.hpp"

namespace ctl {
namespace {

constexpr auto commands =
    "get describe apply delete watch plan migrate status peers routes services explain restart refresh drain undrain "
    "mrt completion";

std::string kinds() {
  std::string words;
  for (const auto& kind : config::all_kinds()) words += std::string{kind.plural} + " ";
  return words + "all";
}

std::string replaced(std::string text, std::string_view mark, std::string_view by) {
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + by.size()))
    text.replace(at, mark.size(), by);
  return text;
}

// What both scripts share: given the words before the one that is completed (without the program's name), prints
// what can follow. Plain sh, so that bash and zsh run it alike.
constexpr auto candidates = R"sh(_heraldctl_candidates() {
  local verb='' kind='' count=0 before='' word
  local -a ask
  ask=(heraldctl)
  for word in "$@"; do
    case $before in
      --server | --control | --token-file | --ca-file | --kubeconfig | --context | -n | --namespace) ask+=("$before" "$word"); before=''; continue ;;
      --metallb-namespace | -o | --output | -f | --filename | -l | --selector | --peer | --family | --prefix | --asn | --reason | --class) before=''; continue ;;
    esac
    before=''
    case $word in
      -A | --all-namespaces | --kubernetes) ask+=("$word") ;;
      -*) before=$word ;;
      *)
        if [ -z "$verb" ]; then
          verb=$word
        else
          count=$((count + 1))
          [ $count -ne 1 ] || kind=$word
        fi
        ;;
    esac
  done
  case $before in
    -o | --output) echo table wide json yaml name; return ;;
    --family) echo ipv4 ipv6; return ;;
    --peer) "${ask[@]}" peers -o name 2>/dev/null; return ;;
    -n | --namespace | --metallb-namespace) "${ask[@]}" get namespaces -o name 2>/dev/null | sed 's,.*/,,'; return ;;
  esac
  case $verb:$count in
    :*) echo @commands@ ;;
    get:0 | describe:0 | delete:0 | watch:0) echo @kinds@ ;;
    get:* | describe:* | delete:*) "${ask[@]}" get "$kind" -o name 2>/dev/null | sed 's,.*/,,' ;;
    peers:0 | restart:0 | refresh:0) "${ask[@]}" peers -o name 2>/dev/null ;;
    routes:0) echo in best out kernel ;;
    mrt:0) echo show dump ;;
    mrt:1) for word in *.mrt; do [ ! -e "$word" ] || echo "$word"; done ;;
    explain:0) echo service route ;;
    explain:1) [ "$kind" != service ] || "${ask[@]}" services -o name 2>/dev/null ;;
    migrate:0) echo metallb ;;
    completion:0) echo bash zsh ;;
  esac
}
_heraldctl_options() {
  echo --server --control --token-file --ca-file --kubernetes --kubeconfig --context --output --namespace
  echo --all-namespaces --help
  case " $* " in
    *" apply "*) echo --filename --dry-run ;;
    *" delete "*) echo --filename ;;
    *" plan "*) echo --filename --delete --class --metallb-namespace ;;
    *" migrate "*) echo --apply --class --metallb-namespace ;;
    *" get "*) echo --selector --show-managed-fields ;;
    *" watch "*) echo --selector ;;
    *" routes "*) echo --peer --family ;;
    *" mrt "*) echo --prefix --peer --asn --family ;;
    *" restart "*) echo --reason ;;
    *" refresh "*) echo --out ;;
    '  ') echo --version ;;
  esac
}
)sh";

constexpr auto bash = R"sh(# bash completion for heraldctl
@shared@_heraldctl() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local -a before=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
  case $previous in
    -f | --filename | --token-file | --ca-file | --kubeconfig) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$(_heraldctl_options "${before[@]}")" -- "$word"))
  else
    COMPREPLY=($(compgen -W "$(_heraldctl_candidates "${before[@]}")" -- "$word"))
  fi
}
complete -F _heraldctl heraldctl
)sh";

constexpr auto zsh = R"sh(#compdef heraldctl
@shared@_heraldctl() {
  local word=${words[CURRENT]} previous=${words[CURRENT-1]}
  local -a before found
  before=("${(@)words[2,CURRENT-1]}")
  case $previous in
    -f | --filename | --token-file | --ca-file | --kubeconfig) _files; return ;;
  esac
  if [[ $word == -* ]]; then
    found=(${=$(_heraldctl_options "${before[@]}")})
  else
    found=(${=$(_heraldctl_candidates "${before[@]}")})
  fi
  compadd -a found
}
compdef _heraldctl heraldctl
)sh";

}  // namespace

std::string completion(const std::string& shell) {
  if (shell != "bash" && shell != "zsh") throw Failure{"completion: must be bash or zsh, got \"" + shell + "\"", 2};
  auto shared = replaced(replaced(candidates, "@commands@", commands), "@kinds@", kinds());
  return replaced(shell == "bash" ? bash : zsh, "@shared@", shared);
}

}  // namespace ctl
