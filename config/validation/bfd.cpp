// SPDX-License-Identifier: Apache-2.0
// BFDProfile, and peers that name one. A profile whose secret is missing is set aside: a peer is never watched with
// less protection than was written.
#include "config/validation/judge.hpp"

namespace config {

void Judge::bfd_profiles() {
  for (const auto* profile : by_age<BFDProfile>()) {
    if (!profile->authentication || view.secrets == Secrets::Unknown) continue;
    const auto& reference = profile->authentication->secret;
    const auto key = reference.full_name();
    const auto refuse = [&](std::string why) { set_aside(*profile, "spec.authentication.secret", std::move(why)); };
    const auto found = all.secrets.find(key);
    if (found == all.secrets.end()) {
      refuse(missing("Secret", key));
      continue;
    }
    const auto password = found->second.data.find(reference.key);
    const auto most = longest_bfd_secret(profile->authentication->type);
    if (password == found->second.data.end())
      refuse("Secret/" + key + " has no key " + reference.key);
    else if (password->second.empty() || password->second.size() > most)
      refuse("the password in Secret/" + key + " must have 1 to " + std::to_string(most) + " octets, it has " +
             std::to_string(password->second.size()));
  }
}

void Judge::check_bfd(const BGPPeer& peer) {
  if (!peer.bfd_profile) return;
  const auto found = all.bfd_profiles.find(*peer.bfd_profile);
  if (found == all.bfd_profiles.end() || is_set_aside(found->second))
    return hold_down(peer, "spec.bfdProfile", missing("BFDProfile", *peer.bfd_profile));
  // RFC 5883 section 3.
  if (found->second.echo_mode && peer.ebgp_multi_hop)
    note(peer, "spec.bfdProfile", "asks for echoes, which go to direct neighbours only; this peer gets none");
}

}  // namespace config
