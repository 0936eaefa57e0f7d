// SPDX-License-Identifier: Apache-2.0
#include "controller/kubernetes/own_certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace controller {
namespace {

using std::chrono::hours;
const auto now = std::chrono::system_clock::now();

OwnCertificate made(std::chrono::system_clock::time_point when = now) {
  return make_certificate({"herald-webhook.herald-system.svc", "192.0.2.10"}, when, hours{24});
}

std::size_t count(const std::string& bundle) {
  std::size_t found = 0;
  for (auto at = bundle.find("BEGIN CERT"); at != std::string::npos; at = bundle.find("BEGIN CERT", at + 1)) ++found;
  return found;
}

struct Parsed {
  explicit Parsed(const std::string& pem) {
    auto* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
  }
  ~Parsed() { X509_free(certificate); }
  Parsed(const Parsed&) = delete;
  Parsed& operator=(const Parsed&) = delete;
  X509* certificate = nullptr;
};

TEST(OwnCertificate, IsForItsNamesAndSignsItself) {
  const auto own = made();
  const Parsed parsed{own.certificate};
  ASSERT_NE(parsed.certificate, nullptr);
  EXPECT_EQ(X509_check_host(parsed.certificate, "herald-webhook.herald-system.svc", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(parsed.certificate, "other.herald-system.svc", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(parsed.certificate, "192.0.2.10", 0), 1);
  EXPECT_EQ(X509_verify(parsed.certificate, X509_get0_pubkey(parsed.certificate)), 1);
  EXPECT_THAT(own.key, testing::HasSubstr("PRIVATE KEY"));
  EXPECT_EQ(own.not_after, now + hours{24});
}

TEST(OwnCertificate, IsAnotherEachTime) {
  EXPECT_NE(made().certificate, made().certificate);
}

TEST(Bundle, GetsACertificateOnce) {
  const auto own = made();
  const auto first = bundle_with("", own.certificate, now);
  EXPECT_EQ(count(first), 1U);
  EXPECT_EQ(bundle_with(first, own.certificate, now), first);
  const auto second = bundle_with(first, made().certificate, now);
  EXPECT_EQ(count(second), 2U) << "the other controller's stays";
}

TEST(Bundle, DropsWhatExpiredAndWhatIsNoCertificate) {
  const auto old = made(now - hours{30});
  const auto own = made();
  EXPECT_EQ(count(bundle_with(old.certificate, own.certificate, now)), 1U);
  EXPECT_EQ(
      bundle_with("nonsense\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", own.certificate, now),
      own.certificate);
  EXPECT_EQ(bundle_with("-----BEGIN CERTIFICATE-----", own.certificate, now), own.certificate);
}

TEST(Bundle, StaysSmallAndKeepsTheNewest) {
  std::string bundle;
  for (int i = 20; i > 0; --i) bundle = bundle_with(bundle, made(now - std::chrono::minutes{i}).certificate, now);
  const auto own = made();
  bundle = bundle_with(bundle, own.certificate, now);
  EXPECT_EQ(count(bundle), 8U);
  EXPECT_TRUE(bundle.ends_with(own.certificate));
}

}  // namespace
}  // namespace controller
