#include "token/authorization.h"

#include <string_view>

#include "base/text.h"
#include "net/http.h"

namespace token {

namespace {

base::Error incomplete(const account::Account& account, const std::string& cause,
                       const std::string& cure) {
  base::Error error = base::failure(base::Fault::config, cause, cure);
  error.account = account.name;
  return error;
}

bool asks_for_identity(const std::string& scope) {
  for (const std::string& word : base::words(scope)) {
    if (word == "openid") return true;
  }
  return false;
}

// Adds fields behind those that the endpoint has by itself, which are stronger.
class Query {
 public:
  explicit Query(std::string endpoint) : url_(std::move(endpoint)) {
    const std::size_t mark = url_.find('?');
    if (mark == std::string::npos) return;
    for (const std::string_view field : base::split(std::string_view(url_).substr(mark + 1), '&')) {
      said_.emplace_back(field.substr(0, field.find('=')));
    }
    filled_ = true;
  }
  void add(std::string_view name, std::string_view value) {
    for (const std::string& one : said_) {
      if (one == name) return;
    }
    if (value.empty()) return;
    url_ += filled_ ? "&" : "?";
    url_ += std::string(name) + "=" + base::percent_encode(value);
    filled_ = true;
  }
  std::string url() && { return std::move(url_); }

 private:
  std::string url_;
  std::vector<std::string> said_;
  bool filled_ = false;
};

}  // namespace

std::string redirect_uri(std::uint16_t port) {
  return "http://localhost:" + std::to_string(port);
}

base::Result<std::string> authorization_url(const account::Account& account,
                                            const SignInWords& words,
                                            const std::string& redirect_uri) {
  if (account.grant != account::Grant::user) {
    return incomplete(account, "no person signs in to an account with another grant than user",
                      "set grant = user, or use: mailbearer login " + account.name + " --app");
  }
  if (account.authorization_endpoint.empty()) {
    return incomplete(account, "authorization_endpoint is not set", "set authorization_endpoint");
  }
  if (!net::secret_may_travel(account.authorization_endpoint)) {
    return incomplete(account, "authorization_endpoint does not begin with https://",
                      "set authorization_endpoint to an https:// address");
  }
  if (account.client_id.empty()) {
    return incomplete(account, "client_id is not set", "set client_id");
  }
  Query query(account.authorization_endpoint);
  query.add("client_id", account.client_id);
  query.add("response_type", "code");
  query.add("redirect_uri", redirect_uri);
  query.add("scope", account.scope);
  query.add("resource", account.resource);
  query.add("state", words.state);
  query.add("code_challenge", words.challenge);
  query.add("code_challenge_method", "S256");
  if (asks_for_identity(account.scope)) query.add("nonce", words.nonce);
  query.add("login_hint", account.user);
  query.add("prompt", "select_account");
  return std::move(query).url();
}

}  // namespace token
