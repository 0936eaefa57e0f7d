// SPDX-License-Identifier: Apache-2.0
// Files of full tables, where the folder HERALD_TEST_DATA has some: every record is read, and written again to the
// same octets.
#include <cstdio>
#include <filesystem>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/mrt/record.hpp"

namespace bgp::mrt {
namespace {

namespace fs = std::filesystem;

struct Close {
  void operator()(std::FILE* file) const { ::pclose(file); }
};

TEST(ThirdPartyMrtFiles, AreReadAndWrittenAgainToTheSameOctets) {
  const fs::path folder = fs::path{HERALD_TEST_DATA} / "mrt";
  if (std::string_view{HERALD_TEST_DATA}.empty() || !fs::is_directory(folder)) GTEST_SKIP() << "no test data";
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator{folder}) {
    if (entry.path().extension() != ".gz") continue;
    ++files;
    const std::unique_ptr<std::FILE, Close> file{::popen(("gzip -dc '" + entry.path().string() + "'").c_str(), "r")};
    ASSERT_NE(file, nullptr);
    std::size_t routes = 0;
    std::size_t refused = 0;
    std::size_t offset = 0;
    std::vector<std::uint8_t> record;
    std::vector<std::uint8_t> again;
    for (;; offset += record.size()) {
      record.resize(header_size);
      const auto got = std::fread(record.data(), 1, header_size, file.get());
      if (got == 0) break;
      ASSERT_EQ(got, header_size);
      const auto length = record_length(std::span<const std::uint8_t, header_size>{record.data(), header_size});
      ASSERT_TRUE(length.has_value()) << entry.path() << " at " << offset;
      record.resize(*length);
      ASSERT_EQ(std::fread(record.data() + header_size, 1, *length - header_size, file.get()), *length - header_size);
      const auto decoded = decode(record);
      ASSERT_TRUE(decoded.has_value()) << entry.path() << " at " << offset + decoded.error().offset << ": "
                                       << decoded.error().text;
      again.clear();
      encode(*decoded, again);
      ASSERT_EQ(again, record) << entry.path() << " at " << offset;
      const auto* rib = std::get_if<Rib>(&decoded->content);
      if (rib == nullptr) continue;
      for (const auto& path : rib->entries) {
        const auto attributes = decode_attributes(path.attributes, AsnWidth::FourOctets);
        // Some of these attributes were made by others' mistakes (RFC 7607).
        if (!attributes) {
          ASSERT_STREQ(attributes.error(), "AS number 0") << entry.path() << " at " << offset;
        }
        ++(attributes ? routes : refused);
      }
    }
    EXPECT_GT(routes, 100'000U) << entry.path();
    EXPECT_LT(refused, routes / 1000) << entry.path();
  }
  EXPECT_GT(files, 0U);
}

}  // namespace
}  // namespace bgp::mrt
