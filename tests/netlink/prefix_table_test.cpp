// SPDX-License-Identifier: Apache-2.0
#include "netlink/prefix_table.hpp"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace netlink {
namespace {

TEST(PrefixTable, AgreesWithAMapWhateverComes) {
  std::mt19937 random{7};
  PrefixTable<int> table;
  std::map<net::Prefix, int> model;
  std::map<net::Prefix, std::uint32_t> handles;
  const auto any = [&] {
    if (random() % 2 == 0)
      return net::Prefix{*net::Ipv4Prefix::make({static_cast<std::uint32_t>(random() % 700) << 8}, 24)};
    net::Ipv6Address address;
    address.octets[7] = static_cast<std::uint8_t>(random());
    return net::Prefix{*net::Ipv6Prefix::make(address, 56 + static_cast<unsigned>(random() % 9))};
  };
  for (int step = 0; step < 50'000; ++step) {
    const auto prefix = any();
    const auto found = table.find(prefix);
    ASSERT_EQ(found != table.none, model.count(prefix) != 0);
    if (random() % 3 == 0) {
      if (found == table.none) continue;
      table.erase(found);
      model.erase(prefix);
      handles.erase(prefix);
    } else {
      const auto [handle, fresh] = table.insert(prefix);
      ASSERT_EQ(fresh, found == table.none);
      if (!fresh) {
        ASSERT_EQ(handle, handles[prefix]) << "handles stay";
        ASSERT_EQ(table[handle], model[prefix]);
      }
      handles[prefix] = handle;
      table[handle] = model[prefix] = step;
      ASSERT_EQ(table.prefix(handle), prefix);
    }
    ASSERT_EQ(table.size(), model.size());
  }
  std::map<net::Prefix, int> walked;
  table.for_each([&](auto handle) { walked[table.prefix(handle)] = table[handle]; });
  EXPECT_EQ(walked, model);
  table.for_each([&](auto handle) { table.erase(handle); });
  EXPECT_TRUE(table.empty());
  for (const auto& [prefix, value] : model) EXPECT_EQ(table.find(prefix), table.none);
}

TEST(PrefixTable, TellsLengthsAndFamiliesApart) {
  PrefixTable<int> table;
  for (const auto* text : {"0.0.0.0/0", "::/0", "0.0.0.0/1", "::/1", "0.0.0.0/32", "::/128"})
    EXPECT_TRUE(table.insert(*net::parse_prefix(text)).second) << text;
  EXPECT_EQ(table.size(), 6U);
}

}  // namespace
}  // namespace netlink
