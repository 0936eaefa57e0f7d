// SPDX-License-Identifier: Apache-2.0
#include "ctl/run.hpp"

#include <iostream>

#include "config/document.hpp"
#include "ctl/commands.hpp"

namespace ctl {

bool print_structured(const nlohmann::json& value, Format format, std::ostream& out) {
  if (format == Format::Json) out << value.dump(2) << '\n';
  if (format == Format::Yaml) out << config::print_yaml(value);
  return format == Format::Json || format == Format::Yaml;
}

int run(int argc, const char* const* argv, const Planner& planner) {
  const auto parsed = parse_options(argc, argv);
  if (const auto* code = std::get_if<int>(&parsed)) return *code;
  const auto& options = std::get<Options>(parsed);
  try {
    switch (options.verb) {
      case Verb::Get:
      case Verb::Describe:
      case Verb::Apply:
      case Verb::Delete:
      case Verb::Watch:
        run_on_resources(options, std::cout);
        break;
      case Verb::Plan:
      case Verb::Migrate:
        run_plans(options, planner, std::cout);
        break;
      case Verb::Mrt:
        run_on_mrt(options, std::cout);
        break;
      case Verb::Completion:
        std::cout << completion(options.words.front());
        break;
      default:
        run_on_speaker(options, std::cout);
    }
    return 0;
  } catch (const Failure& failure) {
    std::cout.flush();
    std::cerr << "heraldctl: " << failure.what() << '\n';
    return failure.code;
  } catch (const std::exception& error) {
    std::cerr << "heraldctl: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace ctl
