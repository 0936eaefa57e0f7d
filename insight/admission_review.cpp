// SPDX-License-Identifier: Apache-2.0
#include "insight/admission_review.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "config/candidate.hpp"
#include "config/object.hpp"
#include "controller/json_member.hpp"

namespace insight {
namespace {

using controller::member;
using controller::member_text;
using nlohmann::json;

constexpr std::size_t most_users = 3;  // named in a refusal
constexpr auto youngest = "9999-12-31T23:59:59Z";

struct Answer {
  std::string refusal;  // empty: allowed
  std::vector<std::string> warnings;
};

std::string lines(const std::vector<config::Problem>& problems) {
  std::string out;
  for (const auto& problem : problems)
    out += (out.empty() ? "" : "; ") + (problem.field.empty() ? "" : problem.field + ": ") + problem.message;
  return out;
}

Answer judge_written(const json& object, const config::Resources& all) {
  const auto read = config::read_object(object);
  if (!read.problems.empty()) return {lines(read.problems), {}};
  if (read.objects.size() != 1) return {};
  auto candidate = read.objects.front();
  const auto known = std::visit(
      [&](const auto& one) { return config::items<std::decay_t<decltype(one)>>(all).contains(one.meta.key()); },
      candidate);
  // What is new is the youngest: of two that contradict each other it is the one that goes.
  if (!known) std::visit([](auto& one) { one.meta.creation_timestamp = youngest; }, candidate);
  auto findings = config::judge_candidate(all, candidate, config::Secrets::Unknown);
  return {lines(findings.contradictions), std::move(findings.warnings)};
}

// Who would miss it.
class Users {
 public:
  void add(const std::string& who) {
    if (count_++ < most_users) names_ += (names_.empty() ? "" : ", ") + who;
  }
  [[nodiscard]] std::string said() const {
    return count_ <= most_users ? names_ : names_ + " and " + std::to_string(count_ - most_users) + " more";
  }

 private:
  std::string names_;
  std::size_t count_ = 0;
};

bool names(const std::vector<std::string>& list, const std::string& name) {
  return std::ranges::find(list, name) != list.end();
}

void users_of_pool(const config::IPAddressPool& pool, const config::Resources& services, Users& users) {
  for (const auto& [key, service] : services.services) {
    if (service.type != "LoadBalancer") continue;
    const auto held = std::ranges::any_of(service.ingress, [&](const auto& address) {
      return std::ranges::any_of(pool.addresses, [&](const auto& range) { return range.contains(address); });
    });
    if (held) users.add("Service " + key);
  }
}

void users_of_filter(const std::string& name, const config::Resources& all, Users& users) {
  for (const auto& [key, peer] : all.peers)
    if ((peer.import_filters && names(*peer.import_filters, name)) ||
        (peer.export_filters && names(*peer.export_filters, name)))
      users.add("BGPPeer " + key);
  for (const auto& [key, configuration] : all.bgp_configurations)
    if (names(configuration.import_filters, name)) users.add("BGPConfiguration " + key);
}

void users_of_community(const config::Community& community, const config::Resources& all, Users& users) {
  for (const auto& [key, ad] : all.bgp_advertisements)
    if (std::ranges::any_of(ad.communities, [&](const auto& text) { return community.communities.contains(text); }))
      users.add("BGPAdvertisement " + key);
}

Answer judge_deleted(const json& object, const config::Resources& all, const config::Resources& services) {
  if (member_text(member(member(object, "metadata"), "annotations"), delete_in_use.data()) == "true") return {};
  const auto read = config::read_object(object);
  if (read.objects.size() != 1) return {};  // it is of no use to anybody
  const auto& one = read.objects.front();
  const auto& name = config::meta_of(one).name;
  Users users;
  if (const auto* pool = std::get_if<config::IPAddressPool>(&one)) users_of_pool(*pool, services, users);
  if (std::holds_alternative<config::BGPFilter>(one)) users_of_filter(name, all, users);
  if (const auto* community = std::get_if<config::Community>(&one)) users_of_community(*community, all, users);
  if (std::holds_alternative<config::BFDProfile>(one))
    for (const auto& [key, peer] : all.peers)
      if (peer.bfd_profile == name) users.add("BGPPeer " + key);
  if (users.said().empty()) return {};
  return {"it is in use by " + users.said() + "; the annotation " + std::string{delete_in_use} +
              ": \"true\" on it lets it be deleted all the same",
          {}};
}

}  // namespace

json admission_review(const json& review, const config::Resources& all, const config::Resources& services) {
  const auto& request = member(review, "request");
  const auto operation = member_text(request, "operation");
  Answer answer;
  if (operation == "CREATE" || operation == "UPDATE") answer = judge_written(member(request, "object"), all);
  if (operation == "DELETE") answer = judge_deleted(member(request, "oldObject"), all, services);
  json response{{"uid", member_text(request, "uid")}, {"allowed", answer.refusal.empty()}};
  // Not "Invalid": of such an answer kubectl 1.20 prints nothing but "The request is invalid".
  if (!answer.refusal.empty())
    response["status"] = {{"code", 400}, {"reason", "BadRequest"}, {"message", answer.refusal}};
  if (!answer.warnings.empty()) response["warnings"] = answer.warnings;
  return {{"apiVersion", "admission.k8s.io/v1"}, {"kind", "AdmissionReview"}, {"response", std::move(response)}};
}

}  // namespace insight
