// SPDX-License-Identifier: Apache-2.0
// Objects as text: nothing is read beyond the end, and what is JSON comes apart, merges and goes together as its tree
// does.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "controller/allocation/service_view.hpp"
#include "controller/store/metadata.hpp"

using nlohmann::json;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  static_cast<void>(controller::view_service(text));
  static_cast<void>(controller::held_addresses(config::Kind::Service, text));
  if (auto draft = controller::Draft::of(text)) static_cast<void>(draft->finish({}, 1));

  const auto half = text.find('\n');
  if (half == std::string_view::npos) return 0;
  const auto target = json::parse(text.substr(0, half), nullptr, false);
  const auto patch = json::parse(text.substr(half + 1), nullptr, false);
  if (!target.is_object() || !patch.is_object()) return 0;
  const auto target_text = controller::compact(target);
  const auto patch_text = controller::compact(patch);
  auto members = controller::JsonMembers::of(target_text);
  const auto changes = controller::JsonMembers::of(patch_text);
  if (!members || !changes) std::abort();
  for (const auto& [name, value] : *changes) members->merge(name, value);
  auto wanted = target;
  wanted.merge_patch(patch);
  if (json::parse(members->text(), nullptr, false) != wanted) std::abort();
  return 0;
}
