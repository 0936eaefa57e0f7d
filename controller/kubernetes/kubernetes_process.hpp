// SPDX-License-Identifier: Apache-2.0
// The controller beside a Kubernetes API: follows its objects, and while it holds the Lease gives Services their
// addresses. Without the Lease it stands by with everything in memory.
#pragma once

#include <memory>

#include "config/source/kubeconfig.hpp"
#include "controller/log.hpp"
#include "controller/observer.hpp"
#include "controller/options.hpp"

namespace controller {

class KubernetesProcess {
 public:
  // Throws std::runtime_error when an address to listen on cannot be had.
  // `observer` may be empty.
  KubernetesProcess(const Options& options, const config::KubernetesAccess& access, const Log& log,
                    std::string notify_socket, const ObserverFactory& observer);
  ~KubernetesProcess();
  KubernetesProcess(const KubernetesProcess&) = delete;
  KubernetesProcess& operator=(const KubernetesProcess&) = delete;
  KubernetesProcess(KubernetesProcess&&) = delete;
  KubernetesProcess& operator=(KubernetesProcess&&) = delete;

  // Until SIGTERM or SIGINT.
  void run();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace controller
