#include "token/loopback_request.h"

#include <array>

#include "base/text.h"

namespace token {

namespace {

bool is_our_name(std::string_view host, std::uint16_t port) {
  const std::string digits = ":" + std::to_string(port);
  constexpr std::array<std::string_view, 3> names = {"localhost", "127.0.0.1", "[::1]"};
  for (const std::string_view name : names) {
    if (base::same_ignoring_case(host, std::string(name) + digits)) return true;
  }
  return false;
}

// Exactly one Host field, and ours.
bool means_us(const std::vector<std::string_view>& lines, std::uint16_t port) {
  int hosts = 0;
  bool ours = false;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (!base::starts_with_ignoring_case(lines[i], "host:")) continue;
    ++hosts;
    ours = is_our_name(base::trim(lines[i].substr(5)), port);
  }
  return hosts == 1 && ours;
}

}  // namespace

LoopbackRequest read_loopback_request(std::string_view text, std::string_view state,
                                      std::uint16_t port) {
  LoopbackRequest request;
  const std::vector<std::string_view> lines = base::split(text, '\n');
  const std::vector<std::string_view> words = base::split(base::trim(lines[0]), ' ');
  if (words.size() != 3) return request;
  request.head = words[0] == "HEAD";
  const std::string_view target = words[1];
  const std::size_t mark = target.find('?');
  if (words[0] != "GET" || words[2].substr(0, 7) != "HTTP/1." || mark == std::string_view::npos ||
      target.substr(0, mark) != "/" || !means_us(lines, port)) {
    return request;
  }
  std::optional<Redirect> redirect = read_redirect(target.substr(mark + 1));
  if (!redirect || !redirect->answers() || !same_secret_text(redirect->state, state)) {
    return request;
  }
  request.answer = std::move(redirect->answer);
  return request;
}

}  // namespace token
