// SPDX-License-Identifier: Apache-2.0
// metadata, selectors and conditions: what the kinds have in common.
#include "config/kinds/kinds.hpp"
#include "config/rules.hpp"

namespace config {
namespace {

using nlohmann::json;

LabelSelector::Expression parse_expression(Cursor in) {
  using Operator = LabelSelector::Operator;
  LabelSelector::Expression expression;
  expression.key = in.required("key", label_key);
  expression.op = in.required("operator", choice<Operator>({{"In", Operator::In},
                                                            {"NotIn", Operator::NotIn},
                                                            {"Exists", Operator::Exists},
                                                            {"DoesNotExist", Operator::DoesNotExist}}));
  expression.values = in.list("values", label_value);
  in.no_other_keys();

  const bool takes_values = expression.op == Operator::In || expression.op == Operator::NotIn;
  if (takes_values && expression.values.empty()) in.problem("values", "must have at least one entry for In and NotIn");
  if (!takes_values && !expression.values.empty()) in.problem("values", "must be left out for Exists and DoesNotExist");
  refuse_repeats(in, "values", expression.values, [](const std::string& value) { return value; });
  return expression;
}

std::string_view print(LabelSelector::Operator op) {
  switch (op) {
    case LabelSelector::Operator::In:
      return "In";
    case LabelSelector::Operator::NotIn:
      return "NotIn";
    case LabelSelector::Operator::Exists:
      return "Exists";
    case LabelSelector::Operator::DoesNotExist:
      break;
  }
  return "DoesNotExist";
}

}  // namespace

Meta parse_meta(Cursor& object, NamespaceRule rule) {
  auto in = object.required_object("metadata");
  Meta meta;
  meta.location = object.location();
  meta.name = in.required("name", object_name);
  const auto namespace_name = in.optional("namespace", object_name);
  if (rule == NamespaceRule::Required) meta.namespace_name = namespace_name.value_or("default");
  if (rule == NamespaceRule::Refused && namespace_name)
    in.problem("namespace", "must be left out: this kind has no namespace, it holds for the whole network");
  meta.labels = in.map("labels", label_key, label_value);
  meta.annotations = in.map("annotations", label_key, text);
  meta.uid = in.optional("uid", text, std::string{});
  meta.resource_version = in.optional("resourceVersion", text, std::string{});
  meta.generation = in.optional("generation", number<std::int64_t>(0), std::int64_t{0});
  meta.creation_timestamp = in.optional("creationTimestamp", text, std::string{});
  // What a Kubernetes API server adds of its own.
  in.ignore({"managedFields", "ownerReferences", "finalizers", "selfLink", "generateName", "deletionTimestamp",
             "deletionGracePeriodSeconds"});
  in.no_other_keys();
  return meta;
}

json print_object(std::string_view api_version, std::string_view kind, const Meta& meta) {
  json metadata = {{"name", meta.name}};
  if (!meta.namespace_name.empty()) metadata["namespace"] = meta.namespace_name;
  if (!meta.labels.empty()) metadata["labels"] = meta.labels;
  if (!meta.annotations.empty()) metadata["annotations"] = meta.annotations;
  if (!meta.uid.empty()) metadata["uid"] = meta.uid;
  if (!meta.resource_version.empty()) metadata["resourceVersion"] = meta.resource_version;
  if (meta.generation != 0) metadata["generation"] = meta.generation;
  if (!meta.creation_timestamp.empty()) metadata["creationTimestamp"] = meta.creation_timestamp;
  return {{"apiVersion", api_version}, {"kind", kind}, {"metadata", std::move(metadata)}};
}

LabelSelector parse_selector(Cursor in) {
  LabelSelector selector;
  selector.match_labels = in.map("matchLabels", label_key, label_value);
  selector.match_expressions = in.list("matchExpressions", parse_expression);
  in.no_other_keys();
  auto expressions = selector.match_expressions;
  refuse_repeats(in, "matchExpressions", std::move(expressions),
                 [](const LabelSelector::Expression& expression) { return "the expression on " + expression.key; });
  return selector;
}

std::vector<LabelSelector> parse_selectors(Cursor& in, std::string_view key) {
  auto selectors = in.list(key, parse_selector);
  refuse_repeats(in, key, selectors, [](const LabelSelector& selector) { return print(selector).dump(); });
  return selectors;
}

std::optional<std::vector<std::string>> parse_optional_names(Cursor& in, std::string_view key) {
  auto names = in.optional_list(key, object_name);
  if (names) refuse_repeats(in, key, *names, [](const std::string& name) { return name; });
  return names;
}

std::vector<std::string> parse_names(Cursor& in, std::string_view key) {
  return parse_optional_names(in, key).value_or(std::vector<std::string>{});
}

json print(const LabelSelector& selector) {
  json out = json::object();
  if (!selector.match_labels.empty()) out["matchLabels"] = selector.match_labels;
  for (const auto& expression : selector.match_expressions) {
    json entry = {{"key", expression.key}, {"operator", print(expression.op)}};
    if (!expression.values.empty()) entry["values"] = expression.values;
    out["matchExpressions"].push_back(std::move(entry));
  }
  return out;
}

json print(const std::vector<LabelSelector>& selectors) {
  return print_list(selectors);
}

Condition parse_condition(Cursor in) {
  Condition condition;
  condition.type = in.required("type", word);
  condition.status =
      in.required("status", choice<std::string>({{"True", "True"}, {"False", "False"}, {"Unknown", "Unknown"}}));
  condition.reason = in.optional("reason", text, std::string{});
  condition.message = in.optional("message", text, std::string{});
  condition.last_transition_time = in.optional("lastTransitionTime", text, std::string{});
  condition.observed_generation = in.optional("observedGeneration", number<std::int64_t>(0), std::int64_t{0});
  return condition;
}

json print(const Condition& condition) {
  json out = {{"type", condition.type}, {"status", condition.status}};
  if (!condition.reason.empty()) out["reason"] = condition.reason;
  if (!condition.message.empty()) out["message"] = condition.message;
  if (!condition.last_transition_time.empty()) out["lastTransitionTime"] = condition.last_transition_time;
  if (condition.observed_generation != 0) out["observedGeneration"] = condition.observed_generation;
  return out;
}

}  // namespace config
