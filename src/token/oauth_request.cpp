#include "token/oauth_request.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "token/flat_json.h"
#include "token/oauth_answer.h"

namespace token {

namespace {

constexpr std::string_view form_prefix = "form.";
constexpr std::size_t description_limit = 600;
constexpr std::size_t claim_limit = 2048;
constexpr std::size_t address_limit = 254;
constexpr std::int64_t longest_device_life_s = 3600;
constexpr std::int64_t longest_interval_s = 300;
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
  for (const char* name :
       {"form.refresh_token", "form.client_secret", "form.client_assertion", "form.assertion",
        "form.code", "form.code_verifier", "form.device_code", "form.token", "form.password"}) {
    const std::string_view secret = request.get(name);
    if (secret.size() < shortest_secret) continue;
    base::Secret encoded;
    append_encoded(encoded, secret);
    text = without_secret(text, encoded.reveal());  // first, for its pieces stand in the plain one
    text = without_secret(text, secret);
  }
  return base::clean(text, description_limit);
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return base::clean(out, claim_limit);
}

void put_text(net::Record& record, const std::string& name, const FlatJson& claims,
              const std::string& claim) {
  record.put(name, base::clean(claims.text(claim), claim_limit));
}

// Entra names a person by preferred_username, which version 1 tokens call upn; others by email.
void put_user(net::Record& record, const FlatJson& claims) {
  for (const char* name : {"preferred_username", "email", "upn"}) {
    const std::string_view text = claims.text(name);
    if (text.find('@') == std::string_view::npos || text.size() > address_limit) continue;
    record.put("id.user", base::clean(text, claim_limit));
    return;
  }
}

void put_claims(net::Record& record, const OauthAnswer& answer) {
  record.put("scope", answer.scope);
  if (const std::optional<FlatJson> id = read_claims(answer.id_token.reveal())) {
    record.put("id", "1");
    for (const char* name : {"iss", "nonce", "name", "tid", "oid", "sub"}) {
      put_text(record, std::string("id.") + name, *id, name);
    }
    record.put("id.aud", joined(id->list("aud")));
    record.put("id.exp", std::to_string(id->number("exp", 0)));
    put_user(record, *id);
  }
  if (const std::optional<FlatJson> access = read_claims(answer.access_token.reveal())) {
    record.put("at.aud", joined(access->list("aud")));
    record.put("at.roles", joined(access->list("roles")));
    put_text(record, "at.scp", *access, "scp");
    put_text(record, "at.app", *access, "app_displayname");
  }
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

namespace {

base::Result<net::HttpAnswer> post_form(const net::Record& request, net::HttpClient& client) {
  net::HttpRequest http;
  http.url = std::string(request.get("url"));
  http.ca_file = std::string(request.get("ca_file"));
  http.proxy = std::string(request.get("proxy"));
  http.timeout_s = std::clamp<std::int64_t>(request.number("timeout", 30), 1, 600);
  http.body = form_of(request);
  return client.post(http);
}

net::Record begun(const net::HttpAnswer& answer) {
  net::Record record("answer");
  record.put("status", std::to_string(answer.status));
  record.put("retry_after", std::to_string(answer.retry_after_s));
  return record;
}

net::Record failed(const base::Error& error) {
  net::Record record("answer");
  net::put_error(record, error);
  return record;
}

void put_device(net::Record& record, const FlatJson& json) {
  record.put("device_code", json.text("device_code"));
  record.put("user_code", base::clean(json.text("user_code"), 64));
  // Google's older name for it.
  const char* uri = json.has("verification_uri") ? "verification_uri" : "verification_url";
  record.put("verification_uri", base::clean(json.text(uri), 1024));
  record.put("verification_uri_complete",
             base::clean(json.text("verification_uri_complete"), 1024));
  std::string message(json.text("message"));
  std::replace_if(
      message.begin(), message.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  record.put("message", base::clean(message, 1024));
  const auto bounded = [&json](const char* name, std::int64_t otherwise, std::int64_t most) {
    return std::to_string(std::clamp<std::int64_t>(json.number(name, otherwise), 1, most));
  };
  record.put("expires_in", bounded("expires_in", 900, longest_device_life_s));
  record.put("interval", bounded("interval", 5, longest_interval_s));
}

}  // namespace

net::Record token_record(const net::HttpAnswer& answer, const net::Record& request) {
  net::Record record = begun(answer);
  OauthAnswer judged = judge_answer(answer.body.reveal());
  if (request.get("claims") == "1") put_claims(record, judged);
  put_answer(record, std::move(judged), request);
  return record;
}

net::Record serve_token_request(const net::Record& request, net::HttpClient& client) {
  base::Result<net::HttpAnswer> answer = post_form(request, client);
  return answer ? token_record(*answer, request) : failed(answer.error());
}

net::Record serve_device_request(const net::Record& request, net::HttpClient& client) {
  base::Result<net::HttpAnswer> answer = post_form(request, client);
  if (!answer) return failed(answer.error());
  net::Record record = begun(*answer);
  const std::optional<FlatJson> json = read_flat_json(answer->body.reveal());
  if (json && !json->text("device_code").empty() && answer->status == 200) {
    put_device(record, *json);
    return record;
  }
  // The form of an error is a token endpoint's (RFC 8628 3.2, RFC 6749 5.2).
  return token_record(*answer, request);
}

}  // namespace token
