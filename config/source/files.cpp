// SPDX-License-Identifier: Apache-2.0
#include "config/source/files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <optional>
#include <ostream>

#include <nlohmann/json.hpp>

#include "config/source/contents.hpp"

namespace config {
namespace {

namespace fs = std::filesystem;

bool holds_resources(const fs::path& path) {
  const auto extension = path.extension();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

Problem unreadable(const std::string& path, const std::string& why) {
  return {{path, 0, 0}, "", "", "cannot be read: " + why};
}

template <class T>
void add(Loaded& loaded, T object) {
  const auto key = object.meta.key();
  auto& map = items<T>(loaded.resources);
  const auto found = map.find(key);
  if (found == map.end()) {
    map.emplace(key, std::move(object));
    return;
  }
  const auto& first = found->second.meta.location;
  auto where = first.file + ":" + std::to_string(first.line) + ":" + std::to_string(first.column);
  loaded.problems.push_back({object.meta.location, name_of(kind_of(std::type_identity<T>{}), object.meta), "",
                             "is here twice; the first, " + where + ", is used"});
}

void append(Reasons& to, const Reasons& from) {
  for (const auto& [name, reasons] : from) to[name].insert(to[name].end(), reasons.begin(), reasons.end());
}

}  // namespace

FileList list_files(const std::vector<std::string>& paths) {
  FileList list;
  for (const auto& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      list.files.push_back(path);  // reading it will say when it is not there
      continue;
    }
    std::vector<std::string> inside;
    for (fs::directory_iterator entry{path, error}; !error && entry != fs::directory_iterator{}; entry.increment(error))
      if (holds_resources(entry->path()) && !entry->path().filename().string().starts_with("."))
        inside.push_back(entry->path().string());
    if (error) list.problems.push_back(unreadable(path, error.message()));
    std::ranges::sort(inside);
    std::ranges::move(inside, std::back_inserter(list.files));
  }
  return list;
}

Loaded assemble(ReadResult read, const std::string& node) {
  Loaded loaded;
  loaded.readable = read.readable;
  Viewpoint view{node, {}};
  for (const auto& problem : read.problems) {
    if (problem.object.empty()) continue;
    view.refused.insert(problem.object);
    loaded.set_aside[problem.object].push_back((problem.field.empty() ? "" : problem.field + ": ") + problem.message);
  }
  loaded.problems = std::move(read.problems);
  for (auto& object : read.objects) std::visit([&](auto& it) { add(loaded, std::move(it)); }, object);

  auto verdict = validate(loaded.resources, view);
  remove_set_aside(loaded.resources, verdict);
  for (auto& problem : verdict.problems) problem.location = place_of(read.sources, problem.location, problem.field);
  std::ranges::move(verdict.problems, std::back_inserter(loaded.problems));
  append(loaded.set_aside, verdict.set_aside);
  loaded.held_down = std::move(verdict.held_down);
  std::ranges::stable_sort(loaded.problems, {}, [](const Problem& problem) {
    return std::tie(problem.location.file, problem.location.line, problem.location.column);
  });
  return loaded;
}

Loaded load(const std::vector<std::string>& paths, const std::string& node) {
  auto list = list_files(paths);
  ReadResult all;
  all.problems = std::move(list.problems);
  all.readable = all.problems.empty();
  for (const auto& file : list.files) {
    errno = 0;
    const auto text = contents(file);
    if (!text) {
      all.problems.push_back(unreadable(file, std::strerror(errno != 0 ? errno : EIO)));
      all.readable = false;
      continue;
    }
    auto result = read_objects(*text, file, file.ends_with(".json") ? Syntax::Json : Syntax::Yaml);
    std::ranges::move(result.objects, std::back_inserter(all.objects));
    std::ranges::move(result.problems, std::back_inserter(all.problems));
    std::ranges::move(result.sources, std::back_inserter(all.sources));
    all.readable = all.readable && result.readable;
  }
  return assemble(std::move(all), node);
}

int check(const std::vector<std::string>& paths, const std::string& node, std::ostream& out) {
  const auto loaded = load(paths, node);
  for (const auto& problem : loaded.problems) out << print(problem) << '\n';
  return loaded.problems.empty() ? 0 : 2;
}

std::string print_config(const Resources& resources) {
  std::string out;
  const auto append_all = [&](const auto& map) {
    for (const auto& [key, object] : map) {
      if (!out.empty()) out += "---\n";
      out += print_yaml(print(Object{object}));
    }
  };
  append_all(resources.bgp_configurations);
  append_all(resources.peers);
  append_all(resources.filters);
  append_all(resources.bfd_profiles);
  append_all(resources.communities);
  append_all(resources.bgp_advertisements);
  append_all(resources.l2_advertisements);
  append_all(resources.pools);
  append_all(resources.speaker_states);
  append_all(resources.namespaces);
  append_all(resources.nodes);
  append_all(resources.secrets);
  append_all(resources.services);
  append_all(resources.endpoint_slices);
  return out;
}

}  // namespace config
