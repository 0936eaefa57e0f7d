// SPDX-License-Identifier: Apache-2.0
#include "controller/kubernetes/own_certificate.hpp"

#include <algorithm>
#include <ctime>
#include <memory>
#include <stdexcept>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "net/address.hpp"

namespace controller {
namespace {

using Time = std::chrono::system_clock::time_point;

constexpr std::size_t most_certificates = 8;  // two replicas, twice, and as much for those that died
constexpr std::string_view begin_mark = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view end_mark = "-----END CERTIFICATE-----";
// Clocks of other machines may be behind.
constexpr auto leeway = std::chrono::minutes{5};

template <auto free>
struct Freed {
  template <class T>
  void operator()(T* one) const {
    free(one);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

void require(bool worked, const char* what) {
  if (!worked) throw std::runtime_error{std::string{"certificate: OpenSSL cannot "} + what};
}

std::string text_of(const Bio& bio) {
  const char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

void add_extension(X509& certificate, int id, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
  const Extension extension{X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str())};
  require(extension != nullptr && X509_add_ext(&certificate, extension.get(), -1) == 1, "add an extension");
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ",") + (net::parse_ip(name) ? "IP:" + name : "DNS:" + name);
  return out;
}

void set_serial(X509& certificate) {
  std::uint64_t serial = 0;
  require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "give random numbers");
  require(ASN1_INTEGER_set_uint64(X509_get_serialNumber(&certificate), serial >> 1U) == 1, "set a serial number");
}

struct Listed {
  std::string pem;
  Time not_before;
};

Time time_of(const ASN1_TIME* time) {
  std::tm parts{};
  require(ASN1_TIME_to_tm(time, &parts) == 1, "read a time");
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

// The certificates of a bundle that still hold.
std::vector<Listed> listed(std::string_view bundle, Time now) {
  std::vector<Listed> out;
  for (auto begin = bundle.find(begin_mark); begin != std::string_view::npos;
       begin = bundle.find(begin_mark, begin + 1)) {
    const auto end = bundle.find(end_mark, begin);
    if (end == std::string_view::npos) break;
    const auto pem = std::string{bundle.substr(begin, end + end_mark.size() - begin)} + "\n";
    const Bio bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    const Certificate certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
    if (certificate == nullptr || time_of(X509_get0_notAfter(certificate.get())) <= now) continue;
    out.push_back({pem, time_of(X509_get0_notBefore(certificate.get()))});
  }
  return out;
}

}  // namespace

OwnCertificate make_certificate(const std::vector<std::string>& names, Time now, std::chrono::seconds validity) {
  const Key key{EVP_EC_gen("P-256")};
  const Certificate certificate{X509_new()};
  require(key != nullptr && certificate != nullptr, "make a key");
  auto* x509 = certificate.get();
  const auto seconds = [](Time time) { return std::chrono::system_clock::to_time_t(time); };
  require(X509_set_version(x509, X509_VERSION_3) == 1, "set a version");
  set_serial(*x509);
  require(ASN1_TIME_set(X509_getm_notBefore(x509), seconds(now - leeway)) != nullptr &&
              ASN1_TIME_set(X509_getm_notAfter(x509), seconds(now + validity)) != nullptr,
          "set times");
  auto* subject = X509_get_subject_name(x509);
  const auto* common = reinterpret_cast<const unsigned char*>("herald-controller");
  require(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, common, -1, -1, 0) == 1, "set a name");
  require(X509_set_issuer_name(x509, subject) == 1 && X509_set_pubkey(x509, key.get()) == 1, "set an issuer");
  add_extension(*x509, NID_subject_alt_name, alternative_names(names));
  // It signs itself and nothing else.
  add_extension(*x509, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(*x509, NID_ext_key_usage, "serverAuth");
  require(X509_sign(x509, key.get(), EVP_sha256()) > 0, "sign");

  const Bio certificate_out{BIO_new(BIO_s_mem())};
  const Bio key_out{BIO_new(BIO_s_mem())};
  require(PEM_write_bio_X509(certificate_out.get(), x509) == 1 &&
              PEM_write_bio_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "write PEM");
  return {text_of(certificate_out), text_of(key_out), now + validity};
}

std::string bundle_with(std::string_view bundle, std::string_view certificate, Time now) {
  auto all = listed(bundle, now);
  for (auto& own : listed(certificate, now))
    if (std::ranges::find(all, own.pem, &Listed::pem) == all.end()) all.push_back(std::move(own));
  std::ranges::stable_sort(all, {}, &Listed::not_before);
  std::string out;
  const auto skip = all.size() > most_certificates ? all.size() - most_certificates : 0;
  for (std::size_t i = skip; i < all.size(); ++i) out += all[i].pem;
  return out;
}

}  // namespace controller
