#include "token/oauth_request.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "token/oauth_answer.h"

namespace token {

namespace {

constexpr std::string_view form_prefix = "form.";
constexpr std::size_t description_limit = 600;
// Shorter ones would blot out ordinary words.
constexpr std::size_t shortest_secret = 6;

bool unreserved(char c) {
  const char low = base::to_lower(c);
  return (low >= 'a' && low <= 'z') || base::is_digit(c) || c == '-' || c == '.' || c == '_' ||
         c == '~';
}

void append_encoded(base::Secret& out, std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    if (unreserved(c)) {
      out.append(std::string_view(&c, 1));
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    const std::array<char, 3> triple = {'%', digits[byte >> 4], digits[byte & 15]};
    out.append(std::string_view(triple.data(), triple.size()));
  }
}

// Whether a run of `length` octets at `at` stands somewhere in what we sent.
bool is_part(std::string_view text, std::size_t at, std::size_t length, std::string_view secret) {
  return at + length <= text.size() &&
         secret.find(text.substr(at, length)) != std::string_view::npos;
}

// A server may quote what it was sent, whole, cut, or form-encoded: each run of it that is long
// enough to be no accident is left out.
std::string without_secret(std::string_view text, std::string_view secret) {
  constexpr std::size_t telling = 12;
  const std::size_t shortest = std::min(telling, secret.size());
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (!is_part(text, at, shortest, secret)) {
      out += text[at++];
      continue;
    }
    std::size_t length = shortest;
    while (is_part(text, at, length + 1, secret)) ++length;
    out += "[...]";
    at += length;
  }
  return out;
}

std::string without_secrets(std::string text, const net::Record& request) {
  if (text.size() > description_limit) text.resize(description_limit);
  for (const char* name : {"form.refresh_token", "form.client_secret", "form.client_assertion",
                           "form.assertion", "form.code", "form.password"}) {
    const std::string_view secret = request.get(name);
    if (secret.size() < shortest_secret) continue;
    base::Secret encoded;
    append_encoded(encoded, secret);
    text = without_secret(text, encoded.reveal());  // first, for its pieces stand in the plain one
    text = without_secret(text, secret);
  }
  return base::clean(text, description_limit);
}

void put_answer(net::Record& record, OauthAnswer answer, const net::Record& request) {
  record.put("access_token", std::move(answer.access_token));
  record.put("refresh_token", std::move(answer.refresh_token));
  record.put("expires_in", std::to_string(answer.expires_in_s));
  record.put("error", answer.error);
  record.put("error_description", without_secrets(std::move(answer.description), request));
  std::string codes;
  for (const long code : answer.codes) codes += std::to_string(code) + " ";
  record.put("error_codes", codes);
  record.put("unusable", answer.unusable);
}

}  // namespace

base::Secret form_of(const net::Record& request) {
  base::Secret form;
  for (const auto& [name, value] : request.fields()) {
    if (name.compare(0, form_prefix.size(), form_prefix) != 0) continue;
    if (!form.empty()) form.append("&");
    append_encoded(form, std::string_view(name).substr(form_prefix.size()));
    form.append("=");
    append_encoded(form, value.reveal());
  }
  return form;
}

net::Record serve_token_request(const net::Record& request, net::HttpClient& client) {
  net::HttpRequest http;
  http.url = std::string(request.get("url"));
  http.ca_file = std::string(request.get("ca_file"));
  http.proxy = std::string(request.get("proxy"));
  http.timeout_s = std::clamp<std::int64_t>(request.number("timeout", 30), 1, 600);
  http.body = form_of(request);
  net::Record record("answer");
  base::Result<net::HttpAnswer> answer = client.post(http);
  if (!answer) {
    net::put_error(record, answer.error());
    return record;
  }
  record.put("status", std::to_string(answer->status));
  record.put("retry_after", std::to_string(answer->retry_after_s));
  put_answer(record, judge_answer(answer->body.reveal()), request);
  return record;
}

}  // namespace token
