// SPDX-License-Identifier: Apache-2.0
// Messages collected from the tests and captures of other projects, where the folder HERALD_TEST_DATA has them
// (bgp_messages.jsonl): the rows, and one way to read them.
#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "bgp/wire/update.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {

using Json = nlohmann::json;

enum class Outcome : std::uint8_t { Accepted, Discarded, Withdrawn, Reset };

inline std::string_view print(Outcome outcome) {
  constexpr std::string_view names[] = {"accepted", "attribute discarded", "treated as withdrawn", "reset"};
  return names[static_cast<std::size_t>(outcome)];
}

struct Reading {
  Outcome outcome = Outcome::Accepted;
  std::string reason;
  Bytes body;
  std::optional<Update> update;
};

inline Reading read_update(Bytes content, const UpdateContext& context) {
  Reading reading;
  reading.body = std::move(content);
  auto update = decode_update(reading.body, context);
  if (!update) {
    reading.outcome = Outcome::Reset;
    reading.reason = describe(update.error());
    return reading;
  }
  if (!update->faults.empty()) {
    reading.outcome = update->treat_as_withdraw ? Outcome::Withdrawn : Outcome::Discarded;
    for (const auto& fault : update->faults) reading.reason += std::to_string(fault.type) + " " + fault.reason + "; ";
  }
  reading.update = std::move(*update);
  return reading;
}

template <class Value>
Reading reading_of(const Decoded<Value>& decoded) {
  if (decoded) return {};
  return {Outcome::Reset, describe(decoded.error()), {}, {}};
}

// One whole message.
inline Reading read(const Bytes& bytes, const UpdateContext& context, std::size_t limit) {
  if (bytes.size() < header_size) return {Outcome::Reset, "shorter than a header", {}, {}};
  const auto header = decode_header(bytes, limit);
  if (!header) return reading_of(header);
  if (header->length != bytes.size()) return {Outcome::Reset, "not one whole message", {}, {}};
  Bytes content(bytes.begin() + header_size, bytes.end());
  switch (header->type) {
    case MessageType::Open:
      return reading_of(decode_open(content));
    case MessageType::Update:
      return read_update(std::move(content), context);
    case MessageType::Notification:
      EXPECT_FALSE(describe(decode_notification(content)).empty());
      return {};
    case MessageType::RouteRefresh:
      return reading_of(decode_route_refresh(content));
    case MessageType::Keepalive:
      return {};
  }
  return {};
}

class ThirdPartyRow {
 public:
  explicit ThirdPartyRow(Json row) : row_(std::move(row)) {}  // braces would make a list of it

  [[nodiscard]] const Json& json() const { return row_; }
  [[nodiscard]] Bytes bytes() const { return hex(row_["hex"].get<std::string>()); }
  [[nodiscard]] Json expect() const { return row_.value("expect", Json::object()); }
  [[nodiscard]] Json agreed() const { return row_.value("ctx", Json::object()); }
  [[nodiscard]] std::string source() const { return row_["source"].get<std::string>(); }
  [[nodiscard]] std::string note() const { return row_["note"].get<std::string>(); }
  [[nodiscard]] std::string name() const { return source() + " | " + note(); }
  [[nodiscard]] std::size_t limit() const {
    return agreed().value("extended_message", false) ? max_extended_message_size : max_message_size;
  }
  // The type of a whole message; nothing where not even the header can be read.
  [[nodiscard]] std::optional<MessageType> type() const {
    const auto whole = bytes();
    if (whole.size() < header_size) return std::nullopt;
    const auto header = decode_header(whole, limit());
    if (!header || header->length != whole.size()) return std::nullopt;
    return header->type;
  }

  [[nodiscard]] UpdateContext context(PeerType peer) const {
    UpdateContext context{.peer = peer, .peer_asn = {}, .enforce_first_as = false};
    context.asn_width = agreed().value("as4", true) ? AsnWidth::FourOctets : AsnWidth::TwoOctets;
    // Rows with path identifiers have them in all of their prefixes.
    if (agreed().value("add_path", false)) context.path_ids = {true, true};
    return context;
  }
  [[nodiscard]] UpdateContext context() const { return context(peer_type()); }
  [[nodiscard]] Reading read() const { return bgp::read(bytes(), context(), limit()); }

 private:
  // Rows do not say what kind of session they are from; attributes of internal peers do.
  [[nodiscard]] PeerType peer_type() const {
    const auto expected = expect();
    if (expected.contains("session")) return expected["session"] == "ibgp" ? PeerType::Internal : PeerType::External;
    if (expected.contains("frr_expected") || expected.contains("frr_expected_ebgp")) return PeerType::External;
    const auto reading = bgp::read(bytes(), context(PeerType::Internal), max_extended_message_size);
    if (!reading.update) return PeerType::External;
    const auto& attributes = reading.update->attributes;
    const bool internal = attributes.local_pref || attributes.originator_id || !attributes.cluster_list.empty();
    return internal ? PeerType::Internal : PeerType::External;
  }

  Json row_;
};

class ThirdPartyRows : public testing::Test {
 protected:
  void SetUp() override {
    if (rows_.empty()) GTEST_SKIP() << "no bgp_messages.jsonl in HERALD_TEST_DATA";
  }
  const std::vector<ThirdPartyRow> rows_ = load();

 private:
  static std::vector<ThirdPartyRow> load() {
    std::vector<ThirdPartyRow> rows;
    const std::filesystem::path folder{HERALD_TEST_DATA};
    if (folder.empty()) return rows;
    std::ifstream file{folder / "bgp_messages.jsonl"};
    for (std::string line; std::getline(file, line);) rows.emplace_back(Json::parse(line));
    return rows;
  }
};

}  // namespace bgp
