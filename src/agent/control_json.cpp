#include "agent/control_json.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "report/tell.h"

namespace agent {

namespace {

using Json = nlohmann::ordered_json;

const char* word_of(queue::State state) {
  switch (state) {
    case queue::State::waiting:
      return "waiting";
    case queue::State::trying:
      return "trying";
    case queue::State::unknown:
      return "unknown";
    case queue::State::delivered:
      return "delivered";
    case queue::State::refused:
      return "refused";
  }
  return "";
}

const char* word_of(queue::Hold hold) {
  switch (hold) {
    case queue::Hold::none:
      return "";
    case queue::Hold::person:
      return "person";
    case queue::Hold::unknown:
      return "unknown";
    case queue::Hold::sender:
      return "sender";
    case queue::Hold::undeliverable:
      return "undeliverable";
  }
  return "";
}

// Bytes that are no UTF-8 become U+FFFD: no text of a server may stop the answer.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string reason(const base::Error& error) {
  return error.cause.empty() ? std::string() : report::tell(error);
}

// "Sat Nov 21 05:17:47", as mailq has it.
std::string arrival(std::int64_t at_s) {
  const std::time_t when = at_s;
  std::tm local{};
  std::array<char, 32> text{};
  if (localtime_r(&when, &local) == nullptr ||
      std::strftime(text.data(), text.size(), "%a %b %e %H:%M:%S", &local) == 0) {
    return "?";
  }
  return text.data();
}

}  // namespace

std::string row_json(const queue::Row& row) {
  Json recipients = Json::array();
  for (const queue::RecipientRow& one : row.recipients) {
    recipients.push_back({{"address", base::clean(one.address, 320)},
                          {"state", word_of(one.state)},
                          {"reply", reason(one.error)}});
  }
  return dump({{"id", row.id},
               {"account", row.account},
               {"uid", row.uid},
               {"at", row.at_s},
               {"bytes", row.bytes},
               {"sender", base::clean(row.sender, 320)},
               {"recipients", recipients},
               {"attempts", row.attempts},
               {"active", row.active},
               {"bounce", row.bounce},
               {"hold", word_of(row.hold)},
               {"why", base::clean(row.why, 512)},
               {"next_in", row.next_in_s}});
}

std::string status_json(const queue::Status& status, const InForce& in_force) {
  Json accounts = Json::array();
  for (const queue::AccountRow& one : status.accounts) {
    if (one.name.empty() && one.messages == 0) continue;  // those without an account: none
    accounts.push_back({{"name", one.name},
                        {"messages", one.messages},
                        {"bytes", one.bytes},
                        {"active", one.active},
                        {"oldest", one.oldest_s},
                        {"held", one.held},
                        {"held_for", one.held_s},
                        {"paused_for", one.paused_s},
                        {"why", reason(one.why)}});
  }
  const std::optional<base::Error> fault = in_force.fault();
  const SharedConfiguration now = in_force.get();
  Json broken = Json::array();
  if (now != nullptr) {
    for (const account::Account& one : now->accounts) {
      if (one.broken) broken.push_back({{"name", one.name}, {"why", reason(*one.broken)}});
    }
  }
  return dump({{"uid", geteuid()},
               {"messages", status.messages},
               {"bytes", status.bytes},
               {"held", status.held},
               {"unknown", status.unknown},
               {"oldest", status.oldest_s},
               {"unwritable", status.unwritable},
               {"configuration", fault ? reason(*fault) : ""},
               {"no_accounts", now == nullptr || now->accounts.empty()},
               {"broken", broken},
               {"accounts", accounts}});
}

std::string released_json(const queue::Released& released) {
  return dump({{"messages", released.messages}, {"oldest", released.oldest_s}});
}

std::string flag_json(const char* name, bool value) {
  return dump({{name, value}});
}

std::string mailq_head() {
  return "-Queue ID-                       --Size-- ----Arrival Time---- -Sender/Recipient-------";
}

std::string mailq_row(const queue::Row& row) {
  const char mark = row.active ? '*' : row.hold != queue::Hold::none ? '!' : ' ';
  std::array<char, 96> lead{};
  (void)std::snprintf(lead.data(), lead.size(), "%s%c%9llu %s  ", row.id.c_str(), mark,
                      static_cast<unsigned long long>(row.bytes), arrival(row.at_s).c_str());
  std::string out =
      lead.data() + base::clean(row.sender.empty() ? "MAILER-DAEMON" : row.sender, 320);
  if (!row.why.empty()) out += "\n  (" + base::clean(row.why, 300) + ")";
  const std::string indent(54, ' ');
  for (const queue::RecipientRow& one : row.recipients) {
    if (one.state == queue::State::delivered) continue;
    out += "\n" + indent + base::clean(one.address, 320);
  }
  return out + "\n";
}

std::string mailq_foot(std::uint64_t bytes, std::size_t messages) {
  if (messages == 0) return "Mail queue is empty";
  return "-- " + std::to_string(bytes / 1024) + " Kbytes in " + std::to_string(messages) +
         (messages == 1 ? " Request." : " Requests.");
}

}  // namespace agent
