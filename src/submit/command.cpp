#include "submit/command.h"

#include <algorithm>

#include "base/text.h"

namespace submit {

using base::Done;
using base::done;
using base::failure;
using base::Fault;

namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return out;
}

base::Error syntax(std::string cause) {
  return failure(Fault::bad_message, std::move(cause));
}

// Length of "<...>" at the start, minding quoted strings; 0 when there is no end.
std::size_t bracketed_length(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[i] == '>') {
      return i + 1;
    }
  }
  return 0;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_id(std::string_view text) {
  return text.size() == 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return base::is_digit(c) || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

Command split_command(std::string_view line) {
  const std::size_t blank = line.find(' ');
  Command command;
  command.verb = upper(line.substr(0, blank));
  if (blank != std::string_view::npos) command.rest = base::trim(line.substr(blank + 1));
  return command;
}

base::Result<Path> parse_path(std::string_view rest, std::string_view word) {
  if (!base::starts_with_ignoring_case(rest, word)) return syntax("expected " + std::string(word));
  rest.remove_prefix(word.size());
  if (!rest.starts_with(":")) return syntax("expected " + std::string(word) + ":");
  rest = base::trim(rest.substr(1));
  std::size_t length = rest.find(' ');
  if (rest.starts_with("<")) {
    length = bracketed_length(rest);
    if (length == 0) return syntax("address without closing bracket");
  }
  Path path;
  base::Result<mail::Mailbox> mailbox = mail::parse_reverse_path(rest.substr(0, length));
  if (!mailbox) return std::move(mailbox).error();
  path.mailbox = std::move(*mailbox);
  if (length == std::string_view::npos) return path;
  for (const std::string& parameter : base::words(rest.substr(length))) {
    const std::size_t equals = parameter.find('=');
    path.parameters.emplace_back(
        upper(parameter.substr(0, equals)),
        equals == std::string::npos ? std::string() : parameter.substr(equals + 1));
  }
  return path;
}

bool from_xtext(std::string_view xtext, std::string& text) {
  text.clear();
  for (std::size_t i = 0; i < xtext.size(); ++i) {
    if (xtext[i] != '+') {
      if (xtext[i] < '!' || xtext[i] > '~' || xtext[i] == '=') return false;
      text += xtext[i];
      continue;
    }
    if (i + 2 >= xtext.size()) return false;
    const int high = hex_value(xtext[i + 1]);
    const int low = hex_value(xtext[i + 2]);
    if (high < 0 || low < 0) return false;
    text += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

namespace {

Done take_private_parameter(const std::string& name, const std::string& value, Private& own) {
  if (name == "X-ID") {
    if (!is_id(value)) return syntax("X-ID is 32 hexadecimal digits");
    own.id = value;
  } else if (name == "X-ACCOUNT") {
    if (!from_xtext(value, own.account) || base::has_control(own.account)) {
      return syntax("X-ACCOUNT is no xtext");
    }
  } else if (name == "X-TRACE") {
    own.trace = true;
  } else if (name == "X-VERIFY") {
    own.verify = true;
    own.trace = true;
  } else if (name == "X-WAIT") {
    own.wait = true;
  } else {
    return syntax("unknown parameter " + base::clean(name, 40));
  }
  return done();
}

}  // namespace

Done take_mail_parameters(const Path& path, bool own_allowed, mail::Envelope& envelope,
                          Private& own, std::uint64_t& declared_size) {
  for (const auto& [name, value] : path.parameters) {
    if (name == "SIZE") {
      std::int64_t size = 0;
      if (!base::parse_number(value, 0, INT64_MAX, size)) return syntax("SIZE is no number");
      declared_size = static_cast<std::uint64_t>(size);
    } else if (name == "BODY") {
      const bool eight = base::same_ignoring_case(value, "8BITMIME");
      if (!eight && !base::same_ignoring_case(value, "7BIT")) return syntax("unknown BODY");
      envelope.body = eight ? mail::Body::eight_bit : mail::Body::seven_bit;
    } else if (name == "RET") {
      envelope.ret = upper(value);
      if (envelope.ret != "HDRS" && envelope.ret != "FULL") return syntax("RET is HDRS or FULL");
    } else if (name == "ENVID") {
      if (!mail::is_xtext(value) || value.size() > 100) return syntax("ENVID is no xtext");
      envelope.envid = value;
    } else if (name == "SMTPUTF8") {
      envelope.smtputf8 = true;
    } else if (own_allowed && name.starts_with("X-")) {
      Done taken = take_private_parameter(name, value, own);
      if (!taken) return taken;
    } else {
      return syntax("unknown parameter " + base::clean(name, 40));
    }
  }
  return done();
}

Done take_rcpt_parameters(const Path& path, mail::Recipient& recipient) {
  for (const auto& [name, value] : path.parameters) {
    if (name == "NOTIFY") {
      recipient.notify = upper(value);
      for (const std::string_view word : base::split(recipient.notify, ',')) {
        const bool known = word == "SUCCESS" || word == "FAILURE" || word == "DELAY" ||
                           (word == "NEVER" && recipient.notify == "NEVER");
        if (!known) return syntax("unknown NOTIFY");
      }
    } else if (name == "ORCPT") {
      if (value.find(';') == std::string::npos || !mail::is_xtext(value) || value.size() > 500) {
        return syntax("ORCPT is no xtext");
      }
      recipient.orcpt = value;
    } else {
      return syntax("unknown parameter " + base::clean(name, 40));
    }
  }
  return done();
}

}  // namespace submit
