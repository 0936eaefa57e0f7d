// SPDX-License-Identifier: Apache-2.0
#include "controller/api/protobuf_body.hpp"

#include <gtest/gtest.h>

namespace controller {
namespace {

using nlohmann::json;

std::string field(unsigned number, std::string_view bytes) {
  return std::string{static_cast<char>(number << 3U | 2U), static_cast<char>(bytes.size())}.append(bytes);
}
std::string number(unsigned field, char value) {
  return {static_cast<char>(field << 3U), value};
}

std::string object(std::string_view kind, std::string_view raw, std::string_view version = "v1") {
  return std::string("k8s\0", 4) + field(1, field(1, version) + field(2, kind)) + field(2, raw) + field(3, "") +
         field(4, "");
}

const std::string metadata = field(1, "web") + field(3, "") + field(8, "") + field(11, field(1, "app") + field(2, "x"));
const std::string service =
    field(1, metadata) +
    field(2, field(1, field(1, "http") + field(2, "TCP") + number(3, 80) +
                          field(4, number(1, 0) + number(2, 88) + field(3, "")) + number(5, 0)) +
                 field(2, field(1, "app") + field(2, "x")) + field(3, "") + field(4, "LoadBalancer") + number(13, 0)) +
    field(3, field(1, ""));

TEST(ObjectInProtobuf, IsReadAsItsJsonWouldBe) {
  const auto decoded = decode_protobuf(object("Service", service));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, json::parse(R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"web","labels":{"app":"x"}},
      "spec":{"type":"LoadBalancer","selector":{"app":"x"},
              "ports":[{"name":"http","protocol":"TCP","port":80,"targetPort":88}]}})"));
}

TEST(ObjectInProtobuf, HasItsBytesInBase64) {
  const auto decoded = decode_protobuf(
      object("Secret", field(1, field(1, "s")) + field(2, field(1, "a") + field(2, "\xff")) + number(5, 1)));
  ASSERT_TRUE(decoded);
  EXPECT_EQ((*decoded)["data"]["a"], "/w==");
  EXPECT_EQ((*decoded)["immutable"], true);
}

TEST(ObjectInProtobuf, MayBeOfThreeKindsOnly) {
  EXPECT_TRUE(decode_protobuf(object("Namespace", field(1, field(1, "shop")))));
  EXPECT_EQ(decode_protobuf(object("Pod", "")).error().code, 415U);
  EXPECT_EQ(decode_protobuf(object("Service", "", "v2")).error().code, 415U);
}

TEST(ObjectInProtobuf, IsRefusedWhenItSaysMoreThanIsUnderstood) {
  const auto answer = decode_protobuf(object("Service", field(2, field(14, "x"))));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "the Service in the request has a field number 14 that is not understood");
}

TEST(ObjectInProtobuf, IsRefusedWhenItIsBroken) {
  for (const auto& body : {std::string{}, std::string{"k8s"}, std::string("k8s\0", 4), std::string{"{}"},
                           object("Service", number(1, 1)), object("Service", field(1, field(1, "\xff"))),
                           object("Service", "\x0f"), object("Service", field(2, number(1, 1)))}) {
    const auto answer = decode_protobuf(body);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, 400U);
  }
}

TEST(ObjectInProtobuf, NeverCrashesWhereverItIsCutOrChanged) {
  const auto whole = object("Service", service);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    static_cast<void>(decode_protobuf(whole.substr(0, i)));
    for (const auto byte : {'\x00', '\x7f', '\x80', '\xff'}) {
      auto changed = whole;
      changed[i] = byte;
      static_cast<void>(decode_protobuf(changed));
    }
  }
}

}  // namespace
}  // namespace controller
