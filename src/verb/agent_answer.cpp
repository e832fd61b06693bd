#include "verb/agent_answer.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace verb {

namespace {

using Json = nlohmann::json;

std::string text(const Json& from, const char* name) {
  const auto found = from.find(name);
  return found != from.end() && found->is_string() ? base::clean(found->get<std::string>(), 1024)
                                                   : std::string();
}

std::int64_t number(const Json& from, const char* name) {
  const auto found = from.find(name);
  return found != from.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

bool flag(const Json& from, const char* name) {
  const auto found = from.find(name);
  return found != from.end() && found->is_boolean() && found->get<bool>();
}

const Json& list(const Json& from, const char* name) {
  static const Json none = Json::array();
  const auto found = from.find(name);
  return found != from.end() && found->is_array() ? *found : none;
}

base::Result<Json> object(std::string_view json) {
  Json read = Json::parse(json, nullptr, false);
  if (read.is_object()) return read;
  return base::failure(base::Fault::protocol, "the agent's answer makes no sense",
                       "install agent and command of one version");
}

AccountState account_state(const Json& from) {
  AccountState out;
  out.name = text(from, "name");
  out.messages = number(from, "messages");
  out.oldest_s = number(from, "oldest");
  out.held = flag(from, "held");
  out.held_s = number(from, "held_for");
  out.paused_s = number(from, "paused_for");
  out.why = text(from, "why");
  return out;
}

}  // namespace

base::Result<QueueRow> read_row(std::string_view json) {
  base::Result<Json> read = object(json);
  if (!read) return std::move(read).error();
  QueueRow row;
  row.id = text(*read, "id");
  row.account = text(*read, "account");
  row.uid = number(*read, "uid");
  row.at_s = number(*read, "at");
  row.bytes = number(*read, "bytes");
  row.sender = text(*read, "sender");
  row.attempts = number(*read, "attempts");
  row.active = flag(*read, "active");
  row.hold = text(*read, "hold");
  row.why = text(*read, "why");
  row.next_in_s = number(*read, "next_in");
  for (const Json& one : list(*read, "recipients")) {
    if (one.is_object()) {
      row.recipients.push_back({text(one, "address"), text(one, "state"), text(one, "reply")});
    }
  }
  return row;
}

base::Result<AgentStatus> read_status(std::string_view json) {
  base::Result<Json> read = object(json);
  if (!read) return std::move(read).error();
  AgentStatus out;
  if (read->contains("uid")) out.uid = number(*read, "uid");
  out.messages = number(*read, "messages");
  out.bytes = number(*read, "bytes");
  out.held = number(*read, "held");
  out.unknown = number(*read, "unknown");
  out.oldest_s = number(*read, "oldest");
  out.unwritable = flag(*read, "unwritable");
  out.no_accounts = flag(*read, "no_accounts");
  out.configuration = text(*read, "configuration");
  for (const Json& one : list(*read, "broken")) {
    if (one.is_object()) out.broken.push_back(account_state(one));
  }
  for (const Json& one : list(*read, "accounts")) {
    if (one.is_object()) out.accounts.push_back(account_state(one));
  }
  return out;
}

base::Result<Count> read_count(std::string_view json) {
  base::Result<Json> read = object(json);
  if (!read) return std::move(read).error();
  return Count{number(*read, "messages"), number(*read, "oldest")};
}

base::Result<bool> read_flag(std::string_view json, const char* name) {
  base::Result<Json> read = object(json);
  if (!read) return std::move(read).error();
  return flag(*read, name);
}

std::string age_text(std::int64_t seconds) {
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return std::to_string(seconds / 60) + " min";
  if (seconds < 48L * 3600) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86400) + " days";
}

std::string size_text(std::int64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes);
  std::array<char, 32> out{};
  const double kilo = static_cast<double>(bytes) / 1000;
  if (kilo < 1000) {
    (void)std::snprintf(out.data(), out.size(), "%.1fk", kilo);
  } else {
    (void)std::snprintf(out.data(), out.size(), "%.1fM", kilo / 1000);
  }
  return out.data();
}

}  // namespace verb
