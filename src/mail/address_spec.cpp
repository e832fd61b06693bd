#include "mail/address_spec.h"

#include <algorithm>

#include "base/text.h"

namespace mail {

namespace {

using Kind = Token::Kind;

constexpr std::size_t local_limit_octets = 256;
constexpr std::size_t domain_limit_octets = 255;

bool is_word(const Token& token) {
  return token.kind == Kind::atom || token.kind == Kind::quoted;
}

// What a server can look up: letters, digits, '-', the '_' that some names hold, and UTF-8.
bool is_domain_byte(char c) {
  const char low = base::to_lower(c);
  return (low >= 'a' && low <= 'z') || base::is_digit(c) || c == '-' || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

Reason judge_text(const std::string& text) {
  if (base::has_control(text)) return "control byte";
  if (!base::is_utf8(text)) return "bytes that are not UTF-8";
  return nullptr;
}

// Words and dots in turn. Dots at the ends or side by side are taken, too: such mailboxes exist,
// and Mailbox::text() quotes them.
Reason read_local(const std::vector<Token>& tokens, std::size_t& at, std::string& local) {
  bool word_before = false;
  bool any_word = false;
  for (; at < tokens.size() && tokens[at].kind != Kind::at; ++at) {
    const Token& token = tokens[at];
    if (!is_word(token) && token.kind != Kind::dot) return "misplaced sign";
    if (is_word(token) && word_before) return "no < > around the address";
    word_before = is_word(token);
    any_word = any_word || word_before;
    local += token.text;
  }
  if (!any_word || local.empty()) return "nothing before the @";
  if (local.size() > local_limit_octets) return "local part over 256 octets";
  return judge_text(local);
}

Reason judge_literal(const std::string& literal) {
  if (literal.size() <= 2) return "empty [ ]";
  if (!base::is_ascii(literal)) return "8-bit text inside [ ]";
  return nullptr;
}

Reason read_domain(const std::vector<Token>& tokens, std::size_t at, std::string& domain) {
  if (at >= tokens.size()) return "no domain behind the @";
  const bool literal = tokens[at].kind == Kind::literal;
  for (bool atom_next = true; at < tokens.size(); ++at, atom_next = !atom_next) {
    const Token& token = tokens[at];
    if (literal && !domain.empty()) return "text behind the domain";
    if (!atom_next && token.kind == Kind::dot) {
      domain += '.';
      continue;
    }
    if (!atom_next && token.kind == Kind::atom) return "text behind the domain";
    const bool name = token.kind == Kind::atom &&
                      std::all_of(token.text.begin(), token.text.end(), is_domain_byte);
    if (!name && !(literal && domain.empty())) return "no domain name behind the @";
    domain += token.text;
  }
  // "example.org." says the same as "example.org", but servers refuse it.
  if (domain.back() == '.') domain.pop_back();
  if (domain.size() > domain_limit_octets) return "domain over 255 octets";
  return literal ? judge_literal(domain) : judge_text(domain);
}

// RFC 5322 4.4 obs-route: [","] "@" domain *("," "@" domain) ":". Returns where the mailbox
// begins: 0 without a route.
std::size_t behind_route(const std::vector<Token>& tokens) {
  if (tokens.empty() || (tokens[0].kind != Kind::at && tokens[0].kind != Kind::comma)) return 0;
  std::size_t at = 0;
  for (; at < tokens.size() && tokens[at].kind != Kind::colon; ++at) {
    const Kind kind = tokens[at].kind;
    const bool after_name =
        at > 0 && (tokens[at - 1].kind == Kind::atom || tokens[at - 1].kind == Kind::literal);
    if (kind == Kind::at && after_name) return 0;
    const bool route_part = kind == Kind::at || kind == Kind::comma || kind == Kind::dot ||
                            kind == Kind::atom || kind == Kind::literal;
    if (!route_part) return 0;
  }
  return at < tokens.size() ? at + 1 : 0;
}

}  // namespace

Reason read_address_spec(const std::vector<Token>& tokens, std::size_t first, Mailbox& into) {
  std::size_t at = first;
  if (Reason reason = read_local(tokens, at, into.local)) return reason;
  if (at == tokens.size()) return nullptr;
  return read_domain(tokens, at + 1, into.domain);
}

Reason read_angle(const std::vector<Token>& tokens, Written written, Mailbox& into) {
  if (tokens.empty()) return nullptr;
  const std::size_t first = behind_route(tokens);
  if (first > 0 && written == Written::in_argument) return "a route is not an address";
  if (first == tokens.size()) return "nothing behind the route";
  return read_address_spec(tokens, first, into);
}

std::string phrase_of(const std::vector<Token>& tokens) {
  std::string phrase;
  for (const Token& token : tokens) {
    if (token.spaced && !phrase.empty()) phrase += ' ';
    phrase += token.text;
  }
  std::replace(phrase.begin(), phrase.end(), '\t', ' ');
  return phrase;
}

}  // namespace mail
