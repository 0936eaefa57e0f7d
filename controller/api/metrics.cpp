// SPDX-License-Identifier: Apache-2.0
#include "controller/api/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/text_serializer.h>

namespace controller {
namespace {

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

const prometheus::Histogram::BucketBoundaries latency_buckets{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                              0.05,   0.1,   0.25,   0.5,   1,    2.5};

// A counter of the registry that follows one kept elsewhere.
void follow(prometheus::Counter& counter, std::uint64_t value) {
  counter.Increment(static_cast<double>(value) - counter.Value());
}

}  // namespace

struct Metrics::Families {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests = prometheus::BuildCounter()
                                                          .Name("herald_api_requests_total")
                                                          .Help("Requests answered, by verb, resource and HTTP status.")
                                                          .Register(registry);
  prometheus::Family<prometheus::Histogram>& durations = prometheus::BuildHistogram()
                                                             .Name("herald_api_request_seconds")
                                                             .Help("Time from request to answer, watches left out.")
                                                             .Register(registry);
  prometheus::Family<prometheus::Gauge>& watchers =
      prometheus::BuildGauge().Name("herald_api_watchers").Help("Watches under way.").Register(registry);
  prometheus::Gauge& connections =
      prometheus::BuildGauge().Name("herald_api_connections").Help("Connections open.").Register(registry).Add({});
  prometheus::Family<prometheus::Gauge>& objects =
      prometheus::BuildGauge().Name("herald_store_objects").Help("Objects in the store.").Register(registry);
  prometheus::Histogram& commits = prometheus::BuildHistogram()
                                       .Name("herald_store_commit_seconds")
                                       .Help("Time that one transaction took to be on disk.")
                                       .Register(registry)
                                       .Add({}, latency_buckets);
  prometheus::Counter& rows = prometheus::BuildCounter()
                                  .Name("herald_store_rows_written_total")
                                  .Help("Objects written to disk; several share a transaction.")
                                  .Register(registry)
                                  .Add({});
  prometheus::Counter& failures = prometheus::BuildCounter()
                                      .Name("herald_store_commit_failures_total")
                                      .Help("Transactions that the disk refused.")
                                      .Register(registry)
                                      .Add({});
  prometheus::Gauge& pending = prometheus::BuildGauge()
                                   .Name("herald_store_pending_rows")
                                   .Help("Objects on their way to disk.")
                                   .Register(registry)
                                   .Add({});
};

Metrics::Metrics() : families_{std::make_unique<Families>()} {}
Metrics::~Metrics() = default;

prometheus::Registry& Metrics::registry() {
  return families_->registry;
}

void Metrics::on_exposition(std::function<std::string()> refresh) {
  refresh_ = std::move(refresh);
}

void Metrics::request(std::string_view verb, std::string_view resource, unsigned code, std::chrono::nanoseconds took) {
  families_->requests
      .Add({{"verb", std::string{verb}}, {"resource", std::string{resource}}, {"code", std::to_string(code)}})
      .Increment();
  if (verb != "watch") families_->durations.Add({{"verb", std::string{verb}}}, latency_buckets).Observe(seconds(took));
}

void Metrics::watch_began(std::string_view resource) {
  families_->watchers.Add({{"resource", std::string{resource}}}).Increment();
}
void Metrics::watch_ended(std::string_view resource) {
  families_->watchers.Add({{"resource", std::string{resource}}}).Decrement();
}
void Metrics::connections(std::size_t open) {
  families_->connections.Set(static_cast<double>(open));
}
void Metrics::commit(std::chrono::nanoseconds took) {
  families_->commits.Observe(seconds(took));
}

std::string Metrics::text(const Store& store) {
  const auto more = refresh_ ? refresh_() : std::string{};
  for (const auto& kind : config::all_kinds()) {
    families_->objects.Add({{"kind", std::string{kind.name}}}).Set(static_cast<double>(store.count(kind.kind)));
  }
  const auto statistics = store.statistics();
  follow(families_->rows, statistics.rows);
  follow(families_->failures, statistics.failures);
  families_->pending.Set(static_cast<double>(statistics.pending));
  return more + prometheus::TextSerializer{}.Serialize(families_->registry.Collect());
}

}  // namespace controller
