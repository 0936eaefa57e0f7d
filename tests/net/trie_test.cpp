// SPDX-License-Identifier: Apache-2.0
#include "net/trie.hpp"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace net {
namespace {

template <class Key>
Key random_prefix(std::mt19937& random);
template <>
Ipv4Prefix random_prefix(std::mt19937& random) {
  // Few distinct high bits, so that prefixes nest and collide.
  return *Ipv4Prefix::make(Ipv4Address{static_cast<std::uint32_t>(random()) & 0x0f0f0f0f},
                           static_cast<unsigned>(random() % 33));
}
template <>
Ipv6Prefix random_prefix(std::mt19937& random) {
  Ipv6Address address;
  for (auto& octet : address.octets) octet = static_cast<std::uint8_t>(random() & 0x11);
  return *Ipv6Prefix::make(address, static_cast<unsigned>(random() % 129));
}

template <class Key>
class Trie : public testing::Test {};
using Keys = testing::Types<Ipv4Prefix, Ipv6Prefix>;
TYPED_TEST_SUITE(Trie, Keys);

TYPED_TEST(Trie, AgreesWithAPlainMapUnderRandomOperations) {
  std::mt19937 random{1};
  PrefixTrie<TypeParam, int> trie;
  std::map<TypeParam, int> model;
  for (int step = 0; step < 20000; ++step) {
    const auto key = random_prefix<TypeParam>(random);
    if (random() % 3 == 0) {
      EXPECT_EQ(trie.erase(key), model.erase(key) == 1);
    } else {
      trie[key] = step;
      model[key] = step;
    }
    ASSERT_EQ(trie.size(), model.size());
    const auto probe = random_prefix<TypeParam>(random);
    const auto* found = trie.find(probe);
    ASSERT_EQ(found != nullptr, model.contains(probe));
    const std::pair<const TypeParam, int>* longest = nullptr;
    for (unsigned length = probe.length() + 1; length-- > 0 && longest == nullptr;) {
      const auto at = model.find(*TypeParam::make(probe.address(), length));
      if (at != model.end()) longest = &*at;
    }
    const auto match = trie.longest_match(probe);
    ASSERT_EQ(match.has_value(), longest != nullptr);
    if (match) {
      ASSERT_EQ(match->first, longest->first);
      ASSERT_EQ(*match->second, longest->second);
    }
  }
  std::vector<TypeParam> order;
  trie.for_each([&](const TypeParam& key, int value) {
    order.push_back(key);
    EXPECT_EQ(model.at(key), value);
  });
  EXPECT_EQ(order.size(), model.size());
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TYPED_TEST(Trie, WalksOnlyWhatIsInside) {
  std::mt19937 random{2};
  PrefixTrie<TypeParam, int> trie;
  std::map<TypeParam, int> model;
  for (int i = 0; i < 500; ++i) trie[random_prefix<TypeParam>(random)] = i;
  trie.for_each([&](const TypeParam& key, int value) { model[key] = value; });
  for (int i = 0; i < 200; ++i) {
    const auto within = random_prefix<TypeParam>(random);
    std::size_t expected = 0;
    for (const auto& [key, value] : model) expected += within.contains(key) ? 1 : 0;
    std::size_t seen = 0;
    trie.for_each_within(within, [&](const TypeParam& key, int) {
      EXPECT_TRUE(within.contains(key));
      ++seen;
    });
    EXPECT_EQ(seen, expected);
  }
}

}  // namespace
}  // namespace net
