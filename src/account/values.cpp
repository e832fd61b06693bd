// The kinds of value: what each takes, and how it gets into an Account.
#include <algorithm>
#include <cstdlib>

#include "account/keys.h"
#include "base/text.h"
#include "mail/address.h"

namespace account {

namespace {

constexpr std::int64_t number_limit = 1'000'000'000;

bool is_word_byte(char c) {
  return base::is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '_' || c == '-';
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && text[0] != '-' &&
         std::all_of(text.begin(), text.end(), is_word_byte);
}

// A host name, an IPv4 address, or an IPv6 address with or without brackets. Names outside ASCII
// and the form's finer points are the resolver's to refuse.
bool is_host(std::string_view text) {
  if (text.empty() || text.size() > 253 || text[0] == '-' || text[0] == '.') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_word_byte(c) || c == ':' || c == '[' || c == ']' ||
           static_cast<unsigned char>(c) >= 0x80;
  });
}

bool is_mailbox(const std::string& text) {
  const base::Result<mail::Mailbox> mailbox = mail::parse_mailbox(text);
  return mailbox.ok() && mailbox->qualified();
}

bool is_sender_pattern(const std::string& text) {
  if (text == "*") return true;
  if (text.rfind("*@", 0) == 0) return is_host(std::string_view(text).substr(2));
  return is_mailbox(text);
}

bool is_peer(std::string_view text) {
  std::int64_t uid = 0;
  if (text[0] == '#') return base::parse_number(text.substr(1), 0, UINT32_MAX, uid);
  if (text[0] == '@') text.remove_prefix(1);
  return is_name(text) ||
         (text.size() > 1 && text.back() == '$' && is_name(text.substr(0, text.size() - 1)));
}

struct Url {
  std::string_view scheme, authority, host;
};

Url split_url(std::string_view text) {
  Url url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return url;
  url.scheme = text.substr(0, colon);
  url.authority = text.substr(colon + 3);
  url.authority = url.authority.substr(0, url.authority.find_first_of("/?#"));
  url.host = url.authority;
  if (!url.host.empty() && url.host[0] == '[') {
    url.host = url.host.substr(0, url.host.find(']') + 1);
  } else {
    url.host = url.host.substr(0, url.host.find(':'));
  }
  return url;
}

std::string url_complaint(std::string_view text, bool plain_allowed) {
  if (text.find_first_of(" \t\"<>\\") != std::string_view::npos) return "is no URL";
  const Url url = split_url(text);
  const bool secure = url.scheme == "https";
  if (!secure && url.scheme != "http") return "must begin with https://";
  if (url.authority.find('@') != std::string_view::npos) return "must not hold a name or password";
  const bool placeholder = url.host.find('{') != std::string_view::npos;
  if (!placeholder && !is_host(url.host)) return "names no host";
  // 169.254.169.254: the metadata service of Azure, which speaks http only and on the link only.
  if (!secure && !plain_allowed && !is_loopback_name(url.host) && url.host != "169.254.169.254") {
    return "must begin with https:// (http:// only to this machine)";
  }
  return {};
}

bool parse_share(std::string_view text, double& share) {
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    std::int64_t part = 0;
    std::int64_t whole = 0;
    if (!base::parse_number(text.substr(0, slash), 1, 1'000'000, part)) return false;
    if (!base::parse_number(text.substr(slash + 1), part, 1'000'000, whole)) return false;
    share = static_cast<double>(part) / static_cast<double>(whole);
    return true;
  }
  if (text == "1") {
    share = 1.0;
    return true;
  }
  // "0.025": the digits behind the point over a power of ten; no locale has a say.
  if (text.substr(0, 2) != "0." || text.size() > 10) return false;
  std::int64_t digits = 0;
  if (!base::parse_number(text.substr(2), 1, 99'999'999, digits)) return false;
  share = static_cast<double>(digits);
  for (std::size_t i = 2; i < text.size(); ++i) share /= 10;
  return true;
}

bool parse_flag(std::string_view text, bool& flag) {
  flag = text == "yes" || text == "true" || text == "on" || text == "1";
  return flag || text == "no" || text == "false" || text == "off" || text == "0";
}

std::string listen_complaint(const std::string& value) {
  const std::size_t colon = value.rfind(':');
  std::int64_t port = 0;
  if (colon == std::string::npos || !is_host(std::string_view(value).substr(0, colon)) ||
      !base::parse_number(std::string_view(value).substr(colon + 1), 1, 65535, port)) {
    return "is not ADDRESS:PORT";
  }
  return {};
}

bool is_log_place(const std::string& value) {
  return value == "journal" || value == "syslog" || value == "stderr" || value == "none" ||
         value[0] == '/';
}

bool is_date(std::string_view text) {
  std::int64_t part = 0;
  return text.size() == 10 && text[4] == '-' && text[7] == '-' &&
         base::parse_number(text.substr(0, 4), 1970, 9999, part) &&
         base::parse_number(text.substr(5, 2), 1, 12, part) &&
         base::parse_number(text.substr(8, 2), 1, 31, part);
}

template <typename Sound>
std::string each_word(const std::string& value, Sound sound, const char* what) {
  for (const std::string& word : base::words(value)) {
    if (!sound(word)) return "holds `" + base::clean(word, 80) + "`, which is no " + what;
  }
  return {};
}

std::string choice_complaint(const Key& key, const std::string& value) {
  std::vector<std::string> known;
  for (const std::string_view choice : base::split(key.choices, '|')) known.emplace_back(choice);
  if (std::find(known.begin(), known.end(), value) != known.end()) return {};
  std::string out = "must be ";
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (i > 0) out += i + 1 == known.size() ? " or " : ", ";
    out += known[i];
  }
  return out;
}

std::size_t choice_index(const Key& key, const std::string& value) {
  const std::vector<std::string_view> known = base::split(key.choices, '|');
  return static_cast<std::size_t>(std::find(known.begin(), known.end(), value) - known.begin());
}

std::string numeric_complaint(const Key& key, const std::string& value) {
  std::int64_t number = 0;
  double share = 0;
  bool flag = false;
  switch (key.kind) {
    case Kind::number:
      return base::parse_number(value, 0, number_limit, number) ? "" : "is not a whole number";
    case Kind::port:
      return base::parse_number(value, 1, 65535, number) ? "" : "is not a number from 1 to 65535";
    case Kind::duration:
      return base::parse_duration(value, number) && number <= number_limit
                 ? ""
                 : "is not a duration such as 90s, 5m, 4h or 5d";
    case Kind::size:
      return base::parse_size(value, number) ? "" : "is not a size such as 64k, 35M or 1G";
    case Kind::share:
      return parse_share(value, share) ? "" : "is not a share such as 1/40 or 0.025";
    case Kind::flag:
      return parse_flag(value, flag) ? "" : "must be yes or no";
    default:
      return "";
  }
}

// A number as its key means it: plain, seconds, bytes.
std::int64_t number_of(const Key& key, const std::string& value) {
  std::int64_t number = 0;
  if (key.kind == Kind::duration) {
    base::parse_duration(value, number);
  } else if (key.kind == Kind::size) {
    base::parse_size(value, number);
  } else {
    base::parse_number(value, 0, number_limit, number);
  }
  return number;
}

struct Assign {
  const Key& key;
  const std::string& value;
  Account& account;

  void operator()(std::monostate) const {}
  void operator()(std::string Account::*field) const { account.*field = value; }
  void operator()(std::vector<std::string> Account::*field) const {
    account.*field = base::words(value);
  }
  void operator()(std::int64_t Account::*field) const { account.*field = number_of(key, value); }
  void operator()(std::uint16_t Account::*field) const {
    account.*field = static_cast<std::uint16_t>(number_of(key, value));
  }
  void operator()(bool Account::*field) const { parse_flag(value, account.*field); }
  void operator()(double Account::*field) const { parse_share(value, account.*field); }
  void operator()(void (*choose)(Account&, std::size_t)) const {
    choose(account, choice_index(key, value));
  }
};

}  // namespace

bool is_loopback_name(std::string_view host) {
  if (base::same_ignoring_case(host, "localhost") || host == "[::1]" || host == "::1") return true;
  // 127.0.0.0/8 and nothing that merely begins so: "127.evil.example" has letters.
  return host.substr(0, 4) == "127." &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::string complaint(const Key& key, const std::string& value) {
  if (base::has_control(value)) return "holds a control byte";
  switch (key.kind) {
    case Kind::text:
    case Kind::words:
      return {};
    case Kind::name:
      return is_name(value) ? "" : "may hold letters, digits, dot, underscore and hyphen only";
    case Kind::senders:
      return each_word(value, is_sender_pattern, "address, *@domain or *");
    case Kind::peers:
      return each_word(value, is_peer, "user, #uid or @group");
    case Kind::address:
      return is_mailbox(value) ? "" : "is no mail address";
    case Kind::addresses:
      return each_word(value, is_mailbox, "mail address");
    case Kind::choice:
      return choice_complaint(key, value);
    case Kind::path:
      return value[0] == '/' ? "" : "must be an absolute path";
    case Kind::log:
      return is_log_place(value) ? "" : "must be journal, syslog, stderr, none or an absolute path";
    case Kind::command:
      return value[0] == '/' ? "" : "must begin with the absolute path of a program";
    case Kind::url:
      return url_complaint(value, false);
    case Kind::proxy:
      return url_complaint(value, true);
    case Kind::host:
      return is_host(value) ? "" : "is no host name";
    case Kind::listen:
      return each_word(
          value, [](const std::string& word) { return listen_complaint(word).empty(); },
          "ADDRESS:PORT");
    case Kind::date:
      return is_date(value) ? "" : "is not a date such as 2027-01-31";
    default:
      return numeric_complaint(key, value);
  }
}

bool flag_of(const std::string& value) {
  bool flag = false;
  parse_flag(value, flag);
  return flag;
}

void apply(const Key& key, const std::string& value, Account& account) {
  std::visit(Assign{key, value, account}, key.slot);
}

}  // namespace account
