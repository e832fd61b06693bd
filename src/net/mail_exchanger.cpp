#include "net/mail_exchanger.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/text.h"

namespace net {

namespace {

constexpr std::size_t answer_limit_bytes = 64UL * 1024;
constexpr std::size_t host_limit = 32;
// Two servers, two seconds each, and once more by TCP where the answer is long.
constexpr int server_limit = 2;
constexpr int patience_s = 2;

struct State {
  struct __res_state state {};  // NOLINT(bugprone-reserved-identifier) its name in resolv.h
  bool ready = res_ninit(&state) == 0;
  State() {
    state.retrans = patience_s;
    state.retry = 1;
    state.nscount = std::min(state.nscount, server_limit);
  }
  ~State() {
    if (ready) res_nclose(&state);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

bool is_host_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return base::is_digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '-';
  });
}

// The preference and the host of one record; an empty host: none that can be read.
std::pair<unsigned, std::string> exchanger_of(const ns_msg& message, const ns_rr& record) {
  std::array<char, NS_MAXDNAME> name{};
  if (ns_rr_type(record) != ns_t_mx || ns_rr_rdlen(record) < NS_INT16SZ + 1) return {};
  const unsigned preference = ns_get16(ns_rr_rdata(record));
  const int size = ns_name_uncompress(ns_msg_base(message), ns_msg_end(message),
                                      ns_rr_rdata(record) + NS_INT16SZ, name.data(), name.size());
  if (size < 0) return {};
  std::string host = base::lower(name.data());
  if (!host.empty() && host.back() == '.') host.pop_back();
  return {preference, is_host_name(host) ? host : std::string()};
}

}  // namespace

base::Result<std::vector<std::string>> mail_exchangers(const std::string& domain) {
  const auto failed = [&domain](const std::string& why) {
    return base::failure(
        base::Fault::unavailable,
        "cannot ask who takes mail for " + base::clean(domain, 80) + " (" + why + ")",
        "name the provider: --provider NAME");
  };
  State state;
  if (!state.ready) return failed("no resolver");
  std::vector<unsigned char> answer(answer_limit_bytes);
  const int size = res_nquery(&state.state, domain.c_str(), ns_c_in, ns_t_mx, answer.data(),
                              static_cast<int>(answer.size()));
  if (size < 0) {
    if (state.state.res_h_errno == NO_DATA) return std::vector<std::string>{};
    return failed(state.state.res_h_errno == HOST_NOT_FOUND ? "no such domain" : "no answer");
  }
  ns_msg message{};
  if (ns_initparse(answer.data(), std::min(size, static_cast<int>(answer.size())), &message) != 0) {
    return failed("no answer that can be read");
  }
  std::vector<std::pair<unsigned, std::string>> found;
  for (int i = 0; i < ns_msg_count(message, ns_s_an) && found.size() < host_limit; ++i) {
    ns_rr record{};
    if (ns_parserr(&message, ns_s_an, i, &record) != 0) break;
    std::pair<unsigned, std::string> each = exchanger_of(message, record);
    if (!each.second.empty()) found.push_back(std::move(each));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> hosts;
  hosts.reserve(found.size());
  for (auto& [preference, host] : found) hosts.push_back(std::move(host));
  return hosts;
}

}  // namespace net
