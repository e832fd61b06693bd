#include "report/log_line.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "base/seal.h"
#include "base/text.h"

namespace report {

namespace {

constexpr std::size_t recipients_on_a_line = 20;
constexpr std::size_t octets_of_recipients = 1200;
constexpr std::size_t value_limit = 320;
constexpr std::size_t reply_limit = 600;
constexpr std::size_t hash_digits = 16;

const char* word_of(base::Fate::State state) {
  switch (state) {
    case base::Fate::State::delivered:
      return "sent";
    case base::Fate::State::deferred:
      return "deferred";
    case base::Fate::State::refused:
      return "refused";
    case base::Fate::State::held:
      return "held";
    case base::Fate::State::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string shown(std::string_view address, Addresses addresses) {
  switch (addresses) {
    case Addresses::full:
      return std::string(address);
    case Addresses::hashed:
      return "#" + base::sha256_hex(base::lower(address)).substr(0, hash_digits);
    case Addresses::none:
      break;
  }
  return "...";
}

// What is cut inside a character is cleaned with the rest, in text().
std::string cut(std::string text, std::size_t limit) {
  if (text.size() > limit) text = text.substr(0, limit) + "...";
  return text;
}

bool ends_address(char c) {
  return base::is_blank(c) || std::string_view("<>()[],;:\"'`").find(c) != std::string_view::npos;
}

// Replies and our own sentences quote addresses, too.
std::string without_addresses(std::string_view text, Addresses addresses) {
  if (addresses == Addresses::full) return std::string(text);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && !ends_address(text[end])) ++end;
    while (end > at + 1 && text[end - 1] == '.') --end;  // of the sentence
    const std::string_view word = text.substr(at, end - at);
    out += word.find('@') == std::string_view::npos ? std::string(word) : shown(word, addresses);
    if (end < text.size()) out += text[end++];
    at = end;
  }
  return out;
}

std::string reply_of(const base::Fate& fate) {
  if (fate.state == base::Fate::State::delivered) return fate.said;
  const base::Error& error = fate.error;
  return error.cause + (error.said.empty() ? "" : " [server: " + error.said + "]");
}

std::string host_of(const std::string& url) {
  const std::size_t begin = url.find("://");
  if (begin == std::string::npos) return url;
  const std::size_t end = url.find('/', begin + 3);
  return url.substr(begin + 3, end == std::string::npos ? end : end - begin - 3);
}

std::string seconds(std::int64_t ms) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f",
                static_cast<double>(std::max<std::int64_t>(ms, 0)) / 1000);
  return text.data();
}

using Fields = std::vector<std::pair<std::string, std::string>>;

void put(Fields& fields, const char* name, std::string value) {
  if (!value.empty()) fields.emplace_back(name, std::move(value));
}

void put_account(Fields& fields, const Attempt& attempt) {
  if (attempt.account == nullptr) return;
  const account::Account& account = *attempt.account;
  const bool graph = account.transport == account::Transport::graph;
  put(fields, "account", account.name);
  put(fields, "transport", graph ? "graph" : "smtp");
  put(fields, "relay",
      graph ? host_of(account.graph_endpoint)
            : account.smtp_host + ":" + std::to_string(account.smtp_port));
}

void put_delays(Fields& fields, const Attempt& attempt) {
  const std::array<std::int64_t, 4> parts = {attempt.before_ms, attempt.waited_ms, attempt.token_ms,
                                             attempt.dialogue_ms};
  std::int64_t whole = 0;
  std::string text;
  for (const std::int64_t part : parts) {
    whole += part;
    text += (text.empty() ? "" : "/") + seconds(part);
  }
  put(fields, "delay", seconds(whole));
  put(fields, "delays", text);
}

// One line for these recipients, who share a fate.
LogLine line_of(const Attempt& attempt, Addresses addresses, const std::vector<std::string>& who,
                const base::Fate& fate) {
  LogLine line;
  line.good = fate.state == base::Fate::State::delivered;
  Fields& fields = line.fields;
  put(fields, "id", attempt.id);
  if (addresses != Addresses::none) {
    const std::string& sender = attempt.sender;
    put(fields, "from", "<" + (sender.empty() ? sender : shown(sender, addresses)) + ">");
    std::string to;
    for (const std::string& one : who) {
      if (one.empty()) continue;  // fate_of_all
      to += (to.empty() ? "<" : ",<") + cut(shown(one, addresses), value_limit) + ">";
    }
    put(fields, "to", to);
  }
  if (!who.front().empty()) put(fields, "nrcpt", std::to_string(attempt.fates->size()));
  if (attempt.size_bytes > 0) put(fields, "size", std::to_string(attempt.size_bytes));
  put(fields, "uid", std::to_string(attempt.uid));
  put_account(fields, attempt);
  put_delays(fields, attempt);
  put(fields, "dsn", fate.error.status);
  put(fields, "status", word_of(fate.state));
  put(fields, "next", attempt.next);
  put(fields, "client-request-id", attempt.client_request_id);
  put(fields, "request-id", attempt.request_id);
  // Last: it is what may be cut.
  put(fields, "reply", cut(without_addresses(reply_of(fate), addresses), reply_limit));
  return line;
}

bool plain(std::string_view value) {
  return !value.empty() && std::none_of(value.begin(), value.end(), [](char c) {
    return base::is_blank(c) || base::is_control(c) || c == '"' || c == '\\' || c == '=';
  });
}

}  // namespace

Addresses addresses_of(const std::string& word) {
  if (word == "none") return Addresses::none;
  return word == "hashed" ? Addresses::hashed : Addresses::full;
}

base::Fate fate_of_all(const base::Error& error) {
  base::Fate fate;
  fate.error = error;
  if (error.fault == base::Fault::outcome_unknown) {
    fate.state = base::Fate::State::unknown;
  } else if (error.kind == base::FaultClass::hold) {
    fate.state = base::Fate::State::held;
  } else if (error.kind == base::FaultClass::permanent) {
    fate.state = base::Fate::State::refused;
  }
  return fate;
}

std::string LogLine::text() const {
  std::string out;
  for (const auto& [name, value] : fields) {
    out += (out.empty() ? "" : " ") + name + "=";
    if (plain(value) && base::clean(value, value.size()) == value) {
      out += value;
      continue;
    }
    // Ours first, so that "\xNN" of a control byte can be told from the same four octets.
    std::string escaped;
    for (const char c : value) {
      if (c == '"' || c == '\\') escaped += '\\';
      escaped += c;
    }
    out += '"' + base::clean(escaped, escaped.size() * 4) + '"';
  }
  return out;
}

std::vector<LogLine> lines_of(const Attempt& attempt, Addresses addresses) {
  struct Group {
    const base::Fate* fate;
    std::vector<std::string> who;
    std::size_t octets;
  };
  std::vector<Group> groups;
  for (const base::Fate& fate : *attempt.fates) {
    // From the newest: fates come in runs, and a list of thousands must not be searched for each.
    const bool same = !groups.empty() && groups.back().who.size() < recipients_on_a_line &&
                      groups.back().octets < octets_of_recipients &&
                      groups.back().fate->state == fate.state &&
                      reply_of(*groups.back().fate) == reply_of(fate);
    if (!same) groups.push_back({&fate, {}, 0});
    groups.back().who.push_back(fate.recipient);
    groups.back().octets += fate.recipient.size();
  }
  std::vector<LogLine> lines;
  lines.reserve(groups.size());
  for (const Group& group : groups) {
    lines.push_back(line_of(attempt, addresses, group.who, *group.fate));
  }
  return lines;
}

}  // namespace report
