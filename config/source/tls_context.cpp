// SPDX-License-Identifier: Apache-2.0
#include "config/source/tls_context.hpp"

#include <boost/asio/buffer.hpp>

namespace config {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

std::string where(const PemSource& source, const char* field) {
  return source.file.empty() ? std::string{field} : source.file;
}

void trust(ssl::context& context, const ApiEndpoint& endpoint, error_code& error) {
  if (endpoint.verification == ApiEndpoint::Verification::Skipped) {
    context.set_verify_mode(ssl::verify_none, error);
    return;
  }
  context.set_verify_mode(ssl::verify_peer, error);
  if (!endpoint.ca_file.empty())
    context.load_verify_file(endpoint.ca_file, error);
  else if (!endpoint.ca_text.empty())
    context.add_certificate_authority(boost::asio::buffer(endpoint.ca_text), error);
  else
    context.set_default_verify_paths(error);
}

}  // namespace

net::Result<ssl::context, std::string> make_tls_context(const ApiEndpoint& endpoint) {
  ssl::context context{ssl::context::tls_client};
  error_code error;
  context.set_options(
      ssl::context::no_sslv2 | ssl::context::no_sslv3 | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1, error);
  trust(context, endpoint, error);
  if (error)
    return net::fail((endpoint.ca_file.empty() ? "certificate authority" : endpoint.ca_file) + ": " + error.message());
  if (endpoint.certificate.empty()) return context;

  const auto& certificate = endpoint.certificate;
  if (certificate.file.empty())
    context.use_certificate_chain(boost::asio::buffer(certificate.text), error);
  else
    context.use_certificate_chain_file(certificate.file, error);
  if (error) return net::fail(where(certificate, "client certificate") + ": " + error.message());
  const auto& key = endpoint.key;
  if (key.file.empty())
    context.use_private_key(boost::asio::buffer(key.text), ssl::context::pem, error);
  else
    context.use_private_key_file(key.file, ssl::context::pem, error);
  if (error) return net::fail(where(key, "client key") + ": " + error.message());
  return context;
}

}  // namespace config
