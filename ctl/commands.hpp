// SPDX-License-Identifier: Apache-2.0
// What heraldctl does. Each command talks to one API and prints; a Failure is said and ends the program.
#pragma once

#include <iosfwd>
#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>

#include "ctl/options.hpp"
#include "ctl/planner.hpp"

namespace ctl {

// The request cannot be made or was refused; `code` is the exit code.
struct Failure : std::runtime_error {
  explicit Failure(const std::string& message, int exit_code = 1) : std::runtime_error{message}, code{exit_code} {}
  int code;
};

// What would follow, by the word of `planner`.
void run_plans(const Options& options, const Planner& planner, std::ostream& out);
void run_on_resources(const Options& options, std::ostream& out);
void run_on_speaker(const Options& options, std::ostream& out);
// mrt: reads a file, or has the speaker write one.
void run_on_mrt(const Options& options, std::ostream& out);
// What a speaker's control socket answers; a Failure when it refuses or is not there.
[[nodiscard]] nlohmann::json ask_speaker(const Options& options, const std::string& method, const std::string& target);
// The script for "bash" or "zsh".
[[nodiscard]] std::string completion(const std::string& shell);

// Prints `value` as -o json or -o yaml asks; false when a table is wanted.
bool print_structured(const nlohmann::json& value, Format format, std::ostream& out);

}  // namespace ctl
