// SPDX-License-Identifier: Apache-2.0
#include "ctl/kinds.hpp"

#include <algorithm>

#include "config/nearest.hpp"
#include "ctl/commands.hpp"

namespace ctl {
namespace {

using config::Kind;
using config::KindInfo;

std::vector<const KindInfo*> of_people() {
  std::vector<const KindInfo*> out;
  for (const auto& kind : config::all_kinds())
    if ((kind.group() == "herald.dev" && kind.kind != Kind::SpeakerState) || kind.kind == Kind::Service)
      out.push_back(&kind);
  return out;
}

std::vector<Target> listed(const std::string& word) {
  std::vector<Target> out;
  for (std::size_t begin = 0; begin <= word.size();) {
    const auto end = std::min(word.find(',', begin), word.size());
    const auto one = word.substr(begin, end - begin);
    if (one == "all")
      for (const auto* kind : of_people()) out.push_back({kind, {}});
    else
      out.push_back({&kind_of(one), {}});
    begin = end + 1;
  }
  return out;
}

// "pool/web peer/tor1", each its own kind.
std::vector<Target> slashed(const std::vector<std::string>& words) {
  std::vector<Target> out;
  for (const auto& word : words) {
    const auto slash = word.find('/');
    if (slash == std::string::npos || slash + 1 == word.size())
      throw Failure{"\"" + word + "\": must be KIND/NAME, like the others", 2};
    const auto* kind = &kind_of(word.substr(0, slash));
    if (out.empty() || out.back().kind != kind) out.push_back({kind, {}});
    out.back().names.push_back(word.substr(slash + 1));
  }
  return out;
}

}  // namespace

const KindInfo& kind_of(const std::string& word) {
  if (const auto* kind = config::find_kind_by_word(word)) return *kind;
  std::vector<std::string_view> words;
  std::string known;
  for (const auto& kind : config::all_kinds()) {
    for (const auto name : {kind.plural, kind.singular, kind.short_name})
      if (!name.empty()) words.push_back(name);
    known.append(known.empty() ? "" : ", ").append(kind.plural);
    if (!kind.short_name.empty()) known.append(" (").append(kind.short_name).append(")");
  }
  const auto close = config::nearest_word(word, words);
  throw Failure{"there is no kind \"" + word + "\"; " +
                    (close.empty() ? "there are " + known : "did you mean " + std::string{close} + "?"),
                2};
}

std::vector<Target> targets_of(const std::vector<std::string>& words) {
  if (words.empty()) throw Failure{"a KIND is needed", 2};
  if (words.front().find('/') != std::string::npos) return slashed(words);
  auto targets = listed(words.front());
  if (words.size() == 1) return targets;
  if (targets.size() != 1) throw Failure{"names can only be given for one kind", 2};
  targets.front().names.assign(words.begin() + 1, words.end());
  return targets;
}

}  // namespace ctl
