#include "token/grants.h"

#include <algorithm>
#include <array>

#include "base/seal.h"
#include "base/text.h"
#include "net/http.h"

namespace token {

namespace {

using account::Grant;

constexpr std::array rows = {
    GrantRow{Grant::user, "user", true, Kind::refresh_token, true},
    GrantRow{Grant::app, "app", true, Kind::client_secret, false},
    GrantRow{Grant::managed_identity, "managed-identity", false, Kind::client_secret, false},
    GrantRow{Grant::federated, "federated", false, Kind::client_secret, false},
    GrantRow{Grant::service_account, "service-account", false, Kind::client_secret, false},
};

base::Error incomplete(const account::Account& account, const std::string& cause,
                       const std::string& cure) {
  base::Error error = base::failure(base::Fault::config, cause, cure);
  error.account = account.name;
  return error;
}

void put_if_any(net::Record& request, const std::string& name, std::string_view value) {
  if (!value.empty()) request.put("form." + name, value);
}

void put_form(net::Record& request, const account::Account& account, const base::Secret& credential,
              const base::Secret& client_secret) {
  request.put("form.client_id", account.client_id);
  put_if_any(request, "scope", account.scope);
  put_if_any(request, "resource", account.resource);
  if (account.grant == Grant::user) {
    request.put("form.grant_type", "refresh_token");
    request.put("form.refresh_token", credential.reveal());
    // Some providers give desktop apps a secret that is none, and demand it (Google).
    put_if_any(request, "client_secret", client_secret.reveal());
    return;
  }
  request.put("form.grant_type", "client_credentials");
  request.put("form.client_secret", credential.reveal());
}

}  // namespace

const GrantRow& grant_row(Grant grant) {
  return *std::find_if(rows.begin(), rows.end(),
                       [grant](const GrantRow& row) { return row.grant == grant; });
}

base::Done check_grant(const account::Account& account) {
  const GrantRow& row = grant_row(account.grant);
  if (!row.supported) {
    return incomplete(account,
                      "grant = " + std::string(row.word) + " is not supported by this version",
                      "use grant = user or grant = app");
  }
  if (row.grant == Grant::app && !account.app_certificate.empty()) {
    return incomplete(
        account, "app_certificate is not supported by this version",
        "use a client secret: mailbearer secret set " + account.name + " client-secret");
  }
  if (account.token_endpoint.empty()) {
    return incomplete(account, "token_endpoint is not set", "set token_endpoint");
  }
  if (!net::secret_may_travel(account.token_endpoint)) {
    return incomplete(account, "token_endpoint does not begin with https://",
                      "set token_endpoint to an https:// address");
  }
  if (account.client_id.empty())
    return incomplete(account, "client_id is not set", "set client_id");
  return base::done();
}

base::Result<net::Record> token_request(const account::Account& account,
                                        const base::Secret& credential,
                                        const base::Secret& client_secret) {
  base::Done checked = check_grant(account);
  if (!checked) return std::move(checked).error();
  net::Record request("token");
  request.put("url", account.token_endpoint);
  request.put("ca_file", account.ca_file);
  request.put("proxy", account.https_proxy);
  request.put("timeout", std::to_string(account.timeout_s));
  put_form(request, account, credential, client_secret);
  return request;
}

std::string fingerprint_of(const net::Record& request) {
  base::Secret all;
  for (const auto& [name, value] : request.fields()) {
    if (name != "url" && !base::starts_with_ignoring_case(name, "form.")) continue;
    all.append(name + " " + std::to_string(value.size()) + ":");
    all.append(value.reveal());
  }
  return base::sha256_hex(all.reveal());
}

}  // namespace token
