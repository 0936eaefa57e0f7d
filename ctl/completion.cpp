// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "config/api_paths.hpp"
#include "ctl/commands.hpp"

namespace ctl {
namespace {

constexpr auto commands =
    "get describe apply delete watch status peers routes services explain restart refresh completion";

std::string kinds() {
  std::string words;
  for (const auto& kind : config::all_kinds()) words += (words.empty() ? "" : " ") + std::string{kind.plural};
  return words;
}

std::string bash() {
  return "# bash completion for heraldctl\n"
         "_heraldctl() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} verb='' i\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case ${COMP_WORDS[i]} in\n"
         "      -*) ;;\n"
         "      *) [[ ${COMP_WORDS[i-1]} == -@(o|n|l|f) || ${COMP_WORDS[i-1]} == --* ]] || { verb=${COMP_WORDS[i]}; "
         "break; } ;;\n"
         "    esac\n"
         "  done\n"
         "  local words=''\n"
         "  case ${COMP_WORDS[COMP_CWORD-1]} in\n"
         "    -o | --output) words='table wide json yaml' ;;\n"
         "    -f | --filename | --token-file | --ca-file) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
         "    *) case $verb in\n"
         "        '') words='" +
         std::string{commands} +
         "' ;;\n"
         "        get | describe | delete | watch) words='" +
         kinds() +
         "' ;;\n"
         "        routes) words='in best out kernel' ;;\n"
         "        explain) words='service route' ;;\n"
         "        completion) words='bash zsh' ;;\n"
         "      esac ;;\n"
         "  esac\n"
         "  [[ $word != -* ]] || words='--server --control --token-file --ca-file --output --namespace "
         "--all-namespaces --help'\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "}\n"
         "complete -F _heraldctl heraldctl\n";
}

std::string zsh() {
  return "#compdef heraldctl\n"
         "_heraldctl() {\n"
         "  local -a verbs kinds\n"
         "  verbs=(" +
         std::string{commands} +
         ")\n"
         "  kinds=(" +
         kinds() +
         ")\n"
         "  if (( CURRENT == 2 )); then\n"
         "    compadd -a verbs\n"
         "    return\n"
         "  fi\n"
         "  case $words[2] in\n"
         "    get|describe|delete|watch) compadd -a kinds ;;\n"
         "    routes) compadd in best out kernel ;;\n"
         "    explain) compadd service route ;;\n"
         "    completion) compadd bash zsh ;;\n"
         "    apply) _files ;;\n"
         "  esac\n"
         "}\n"
         "compdef _heraldctl heraldctl\n";
}

}  // namespace

std::string completion(const std::string& shell) {
  if (shell == "bash") return bash();
  if (shell == "zsh") return zsh();
  throw Failure{"completion: must be bash or zsh, got " + shell, 2};
}

}  // namespace ctl
