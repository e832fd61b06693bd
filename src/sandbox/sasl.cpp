#include "sandbox/sasl.h"

#include "base/seal.h"
#include "base/text.h"

namespace sandbox {

namespace {

using base::failure;
using base::Fault;

constexpr char separator = '\x01';

// Cuts one field off the front of `rest`, up to the next ^A, which must be there.
bool take_field(std::string_view& rest, std::string_view& field) {
  const std::size_t end = rest.find(separator);
  if (end == std::string_view::npos) return false;
  field = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return true;
}

base::Result<base::Secret> bearer_of(std::string_view field) {
  if (!base::starts_with_ignoring_case(field, "auth=Bearer ")) {
    return failure(Fault::protocol, "the auth field does not begin with Bearer");
  }
  const std::string_view token = field.substr(12);
  // RFC 6750 section 2.1: b64token.
  if (token.empty() ||
      token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                              "-._~+/=") != std::string_view::npos) {
    return failure(Fault::protocol, "the token holds a byte that no token has");
  }
  return base::Secret(token);
}

// RFC 5801 section 4: "=2C" and "=3D" stand for comma and equals sign.
bool decode_saslname(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      out += text[i];
    } else if (text.substr(i, 3) == "=2C") {
      out += ',';
      i += 2;
    } else if (text.substr(i, 3) == "=3D") {
      out += '=';
      i += 2;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

base::Result<SaslClaim> read_xoauth2(std::string_view base64_text) {
  base::Result<std::string> blob = base::from_base64(base64_text);
  if (!blob) return failure(Fault::protocol, "the response is not base64");
  std::string_view rest = *blob;
  std::string_view user;
  std::string_view auth;
  if (!take_field(rest, user) || !take_field(rest, auth) || rest != "\x01") {
    return failure(Fault::protocol, "the response is not of the form user ^A auth ^A ^A");
  }
  if (user.substr(0, 5) != "user=" || user.size() == 5 || base::has_control(user)) {
    return failure(Fault::protocol, "the response names no user");
  }
  base::Result<base::Secret> token = bearer_of(auth);
  if (!token) return std::move(token).error();
  return SaslClaim{std::string(user.substr(5)), std::move(token).value()};
}

base::Result<SaslClaim> read_oauthbearer(std::string_view base64_text) {
  base::Result<std::string> blob = base::from_base64(base64_text);
  if (!blob) return failure(Fault::protocol, "the response is not base64");
  std::string_view rest = *blob;
  std::string_view head;
  if (!take_field(rest, head) || head.size() < 3 || head.substr(0, 2) != "n," ||
      head.back() != ',') {
    return failure(Fault::protocol, "the response has no GS2 header");
  }
  SaslClaim claim;
  const std::string_view name = head.substr(2, head.size() > 3 ? head.size() - 3 : 0);
  if (!name.empty() && (name.substr(0, 2) != "a=" || !decode_saslname(name.substr(2), claim.user) ||
                        base::has_control(claim.user))) {
    return failure(Fault::protocol, "the GS2 header names no user");
  }
  std::string_view field;
  bool found = false;
  while (take_field(rest, field) && !field.empty()) {
    if (!base::starts_with_ignoring_case(field, "auth=")) continue;
    base::Result<base::Secret> token = bearer_of(field);
    if (!token) return std::move(token).error();
    claim.token = std::move(token).value();
    found = true;
  }
  if (!found || !field.empty() || !rest.empty()) {
    return failure(Fault::protocol, "the response is not closed, or has no auth field");
  }
  return claim;
}

}  // namespace sandbox
