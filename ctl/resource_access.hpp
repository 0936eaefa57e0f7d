// SPDX-License-Identifier: Apache-2.0
// What the commands on resources have in common: the API that is asked, the objects in files, and how errors are said.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/source/api_client.hpp"
#include "ctl/commands.hpp"

namespace ctl {

// What went wrong and, where there is one, the way out.
[[nodiscard]] Failure failure(const config::ApiError& error, const std::string& what = {});
// The answer; throws what failure() makes of an error.
nlohmann::json checked(config::ApiAnswer answer, const std::string& what = {});

// The API that the options name. Throws a Failure with code 2 when they do not hold together.
[[nodiscard]] config::ApiClient connect(const Options& options);

// The objects in a file ("-": standard input) as they are written; those of a dialect as the kinds of Herald that they
// stand for. Throws a Failure that names everything that is wrong with them.
[[nodiscard]] std::vector<nlohmann::json> objects_in(const std::string& file);
// "BGPPeer/tor1".
[[nodiscard]] std::string named(const nlohmann::json& object);
// The namespace of the options, for an object that needs one and has none.
void set_namespace(nlohmann::json& object, const Options& options);

// DryRun: the API checks and answers, and keeps nothing.
enum class Sending : std::uint8_t { Real, DryRun };
[[nodiscard]] config::ApiAnswer send(config::ApiClient& client, const nlohmann::json& object,
                                     const config::ObjectPath& path, Sending sending);

}  // namespace ctl
