// SPDX-License-Identifier: Apache-2.0
// A client that sends exactly the bytes it is told to, over a Unix or loopback socket.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace controller::testing {

struct HttpAnswer {
  unsigned status = 0;
  std::string head;
  std::string body;
  [[nodiscard]] bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
};

class SocketClient {
 public:
  explicit SocketClient(const std::string& path) : descriptor_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    connect(address);
  }
  explicit SocketClient(std::uint16_t port) : descriptor_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(address);
  }
  ~SocketClient() { ::close(descriptor_); }
  SocketClient(const SocketClient&) = delete;
  SocketClient& operator=(const SocketClient&) = delete;

  void send(std::string_view text) const {
    while (!text.empty()) {
      const auto count = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return;  // the server has had enough
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  void finish() const { ::shutdown(descriptor_, SHUT_WR); }

  // Up to and with the text; what there is when the server closes first.
  std::string read_until(std::string_view end) {
    auto found = buffer_.find(end);
    while (found == std::string::npos && fill()) found = buffer_.find(end);
    return take(found == std::string::npos ? buffer_.size() : found + end.size());
  }
  std::string read_to_end() {
    while (fill()) {
    }
    return take(buffer_.size());
  }

  HttpAnswer answer() {
    HttpAnswer answer;
    answer.head = read_until("\r\n\r\n");
    if (answer.head.size() > 12) answer.status = static_cast<unsigned>(std::stoul(answer.head.substr(9, 3)));
    const auto length = answer.head.find("Content-Length: ");
    if (length != std::string::npos) {
      const auto size = std::stoul(answer.head.substr(length + 16));
      while (buffer_.size() < size && fill()) {
      }
      answer.body = take(std::min<std::size_t>(size, buffer_.size()));
    } else if (answer.has("chunked")) {
      for (auto chunk = this->chunk(); !chunk.empty(); chunk = this->chunk()) answer.body += chunk;
    }
    return answer;
  }
  // One chunk of a chunked body; empty at its end.
  std::string chunk() {
    const auto head = read_until("\r\n");
    const auto size = head.empty() ? 0 : std::stoul(head, nullptr, 16);
    while (buffer_.size() < size + 2 && fill()) {
    }
    auto text = take(std::min<std::size_t>(size + 2, buffer_.size()));
    text.resize(std::min<std::size_t>(size, text.size()));
    return text;
  }
  HttpAnswer get(std::string_view path, std::string_view headers = {}) {
    send(std::string{"GET "}.append(path).append(" HTTP/1.1\r\nHost: x\r\n").append(headers).append("\r\n"));
    return answer();
  }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  template <class Address>
  void connect(const Address& address) const {
    const timeval patience{20, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const auto result = ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    EXPECT_EQ(result, 0) << std::strerror(errno);
  }
  bool fill() {
    char bytes[65536];
    const auto count = ::recv(descriptor_, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }
  std::string take(std::size_t count) {
    auto text = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return text;
  }

  int descriptor_;
  std::string buffer_;
};

}  // namespace controller::testing
