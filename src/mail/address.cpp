#include "mail/address.h"

#include <algorithm>

#include "base/text.h"
#include "mail/address_list.h"
#include "mail/address_spec.h"

namespace mail {

namespace {

constexpr std::size_t shown_bytes = 40;

// RFC 5321 4.1.2 Dot-string: atoms with single dots between them.
bool is_dot_string(std::string_view text) {
  char before = '.';
  for (const char c : text) {
    if (c == '.' ? before == '.' : !is_atom_byte(c)) return false;
    before = c;
  }
  return before != '.';
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string_view without_last_dot(std::string_view domain) {
  if (!domain.empty() && domain.back() == '.') domain.remove_suffix(1);
  return domain;
}

base::Error refuse(std::string_view text, const std::string& reason) {
  return base::failure(base::Fault::bad_message,
                       "bad address \"" + base::clean(text, shown_bytes) + "\" (" + reason + ")",
                       "write user@domain");
}

}  // namespace

bool Mailbox::ascii() const {
  return base::is_ascii(local) && base::is_ascii(domain);
}

std::string Mailbox::text() const {
  if (null()) return {};
  std::string out = is_dot_string(local) ? local : quote(local);
  if (!domain.empty()) out += '@' + domain;
  return out;
}

bool same(const Mailbox& a, const Mailbox& b) {
  return a.local == b.local &&
         base::same_ignoring_case(without_last_dot(a.domain), without_last_dot(b.domain));
}

std::string identity(const Mailbox& mailbox) {
  // NUL stands in no mailbox.
  return base::lower(without_last_dot(mailbox.domain)) + '\0' + mailbox.local;
}

bool is_torn_word(const Mailbox& mailbox) {
  return !mailbox.qualified() && mailbox.local.starts_with("=?");
}

bool is_special_form(const Mailbox& mailbox) {
  const std::string& local = mailbox.local;
  if (local.empty()) return false;
  if (local[0] == '|') return true;
  return !mailbox.qualified() &&
         (local[0] == '/' || base::starts_with_ignoring_case(local, ":include:"));
}

base::Result<Mailbox> parse_reverse_path(std::string_view text) {
  if (text.empty()) return Mailbox{};
  base::Result<std::vector<Address>> list = read_list(text, Written::in_argument, true);
  if (!list) return std::move(list).error();
  if (list->empty()) return refuse(text, "no address");
  if (list->size() > 1) return refuse(text, "more than one address");
  Address& address = list->front();
  if (!address.group.empty()) return refuse(text, "a group cannot send");
  if (is_special_form(address.mailbox)) return refuse(text, "not a mailbox");
  // "-f -i bob": the word behind -f is taken as it stands, and is no address.
  if (!address.mailbox.qualified() && address.mailbox.local.starts_with('-')) {
    return refuse(text, "begins with a dash and names no domain");
  }
  return std::move(address.mailbox);
}

base::Result<Mailbox> parse_mailbox(std::string_view text) {
  constexpr std::size_t longest = 1024;  // more than both limits, with every byte quoted
  if (text.size() > longest) return refuse(text, "too long");
  if (text.empty()) return refuse(text, "nothing there");
  Tokens tokens(text, Written::in_argument);
  std::vector<Token> all;
  for (;;) {
    Token token = tokens.next();
    if (token.kind == Token::Kind::fault) return refuse(text, token.text);
    if (token.spaced) return refuse(text, "blank or comment");
    if (token.kind == Token::Kind::end) break;
    all.push_back(std::move(token));
  }
  Mailbox mailbox;
  if (Reason reason = read_address_spec(all, 0, mailbox)) return refuse(text, reason);
  return mailbox;
}

std::string quote_phrase(std::string_view phrase) {
  std::string text(phrase);
  std::replace_if(text.begin(), text.end(), base::is_control, ' ');
  text = base::trim(text);
  bool atoms = true;
  char before = ' ';
  for (const char c : text) {
    atoms = atoms && (c == ' ' ? before != ' ' : is_atom_byte(c));
    before = c;
  }
  return atoms ? text : quote(text);
}

}  // namespace mail
