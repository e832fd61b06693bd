#include "token/grants.h"

#include <algorithm>
#include <array>

#include "base/seal.h"
#include "base/text.h"
#include "net/http.h"
#include "token/keyring_file.h"

namespace token {

namespace {

using account::Account;
using account::Grant;

constexpr const char* client_assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
constexpr const char* jwt_grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";

base::Error incomplete(const Account& account, const std::string& cause, const std::string& cure) {
  base::Error error = base::failure(base::Fault::config, cause, cure);
  error.account = account.name;
  return error;
}

base::Done check_client(const Account& account) {
  if (!account.client_id.empty()) return base::done();
  return incomplete(account, "client_id is not set", "set client_id");
}

base::Done check_federated(const Account& account) {
  base::Done client = check_client(account);
  if (!client || !account.federated_token_file.empty()) return client;
  return incomplete(account, "federated_token_file is not set", "set federated_token_file");
}

base::Done check_machine(const Account& account) {
  if (!account.resource.empty()) return base::done();
  return incomplete(account, "resource is not set", "set resource");
}

base::Done check_service(const Account& account) {
  if (account.app_key.empty()) return incomplete(account, "app_key is not set", "set app_key");
  if (!account.user.empty()) return base::done();
  return incomplete(account, "user is not set", "set user to the mailbox");
}

void put_if_any(net::Record& request, const std::string& name, std::string_view value) {
  if (!value.empty()) request.put(name, value);
}

// A refresh may ask for what was granted, and no more; who the person is was told at the sign-in.
std::string scope_of_refresh(const std::string& scope) {
  std::string out;
  for (const std::string& word : base::words(scope)) {
    if (word == "openid" || word == "profile" || word == "email") continue;
    out += (out.empty() ? "" : " ") + word;
  }
  return out;
}

void fill_refresh(net::Record& request, const Account& account, const Proof& proof) {
  request.put("form.client_id", account.client_id);
  put_if_any(request, "form.scope", scope_of_refresh(account.scope));
  put_if_any(request, "form.resource", account.resource);
  request.put("form.grant_type", "refresh_token");
  request.put("form.refresh_token", proof.main.secret.reveal());
  // Some providers give desktop apps a secret that is none, and demand it (Google).
  put_if_any(request, "form.client_secret", proof.client_secret.reveal());
}

void fill_client(net::Record& request, const Account& account) {
  request.put("form.client_id", account.client_id);
  put_if_any(request, "form.scope", account.scope);
  put_if_any(request, "form.resource", account.resource);
  request.put("form.grant_type", "client_credentials");
}

void fill_secret(net::Record& request, const Account& account, const Proof& proof) {
  fill_client(request, account);
  request.put("form.client_secret", proof.main.secret.reveal());
}

void fill_certificate(net::Record& request, const Account& account, const Proof& proof) {
  fill_client(request, account);
  const bool pss = account.app_assertion == account::AppAssertion::ps256;
  request.put("sign.kind", "client");
  request.put("sign.algorithm", pss ? "ps256" : "rs256");
  request.put("sign.key", proof.main.secret.reveal());
  request.put("sign.certificate", proof.certificate.reveal());
  request.put("sign.passphrase", proof.passphrase.reveal());
  request.put("sign.issuer", account.client_id);
  request.put("sign.subject", account.client_id);
  request.put("sign.audience", account.token_endpoint);
}

void fill_federated(net::Record& request, const Account& account, const Proof& proof) {
  fill_client(request, account);
  request.put("form.client_assertion_type", client_assertion);
  request.put("form.client_assertion", proof.main.secret.reveal());
}

void fill_service(net::Record& request, const Account& account, const Proof& proof) {
  request.put("form.grant_type", jwt_grant);
  request.put("sign.kind", "service");
  request.put("sign.algorithm", "rs256");
  request.put("sign.key", proof.main.secret.reveal());
  request.put("sign.passphrase", proof.passphrase.reveal());
  request.put("sign.issuer", account.client_id);  // a JSON key file says it itself
  request.put("sign.subject", account.user);
  request.put("sign.audience", account.token_endpoint);
  request.put("sign.scope", account.scope);
}

// Not a form: the helper asks the machine's identity endpoint.
void fill_machine(net::Record& request, const Account& account, const Proof&) {
  request.put("resource", account.resource);
  put_if_any(request, "client_id", account.client_id);
}

template <Grant grant>
bool is(const Account& account) {
  return account.grant == grant;
}
bool is_app_by_certificate(const Account& account) {
  return account.grant == Grant::app && !account.app_certificate.empty();
}

// The first that fits.
constexpr std::array rows = {
    GrantRow{"user", "token", is<Grant::user>, Kind::refresh_token, true, check_client,
             load_refresh_token, fill_refresh},
    GrantRow{"app", "token", is_app_by_certificate, std::nullopt, false, check_client,
             load_certificate, fill_certificate},
    GrantRow{"app", "token", is<Grant::app>, Kind::client_secret, false, check_client,
             load_client_secret, fill_secret},
    GrantRow{"federated", "token", is<Grant::federated>, std::nullopt, false, check_federated,
             load_federated, fill_federated},
    GrantRow{"service-account", "token", is<Grant::service_account>, std::nullopt, false,
             check_service, load_service_key, fill_service},
    GrantRow{"managed-identity", "identity", is<Grant::managed_identity>, std::nullopt, false,
             check_machine, load_nothing, fill_machine},
};

}  // namespace

const GrantRow& grant_row(const Account& account) {
  return *std::find_if(rows.begin(), rows.end(),
                       [&account](const GrantRow& row) { return row.fits(account); });
}

base::Done check_grant(const Account& account) {
  if (account.token_endpoint.empty()) {
    return incomplete(account, "token_endpoint is not set", "set token_endpoint");
  }
  const bool machine = account.grant == Grant::managed_identity;
  const bool metadata = machine && net::is_metadata_service(account.token_endpoint);
  if (!metadata && !net::secret_may_travel(account.token_endpoint)) {
    return incomplete(account, "token_endpoint does not begin with https://",
                      "set token_endpoint to an https:// address");
  }
  return grant_row(account).check(account);
}

net::Record request_to(const Account& account, const std::string& url, const char* verb) {
  net::Record request(verb);
  request.put("url", url);
  request.put("ca_file", account.ca_file);
  request.put("proxy", account.https_proxy);
  request.put("timeout", std::to_string(account.timeout_s));
  return request;
}

base::Result<net::Record> token_request(const Account& account, const Proof& proof) {
  base::Done checked = check_grant(account);
  if (!checked) return std::move(checked).error();
  const GrantRow& row = grant_row(account);
  net::Record request = request_to(account, account.token_endpoint, row.verb);
  row.fill(request, account, proof);
  return request;
}

std::string fingerprint_of(const net::Record& request) {
  constexpr std::array<std::string_view, 4> of_the_way = {"ca_file", "proxy", "timeout", "claims"};
  base::Secret all;
  for (const auto& [name, value] : request.fields()) {
    if (std::find(of_the_way.begin(), of_the_way.end(), name) != of_the_way.end()) continue;
    all.append(name + " " + std::to_string(value.size()) + ":");
    all.append(value.reveal());
  }
  return base::sha256_hex(all.reveal());
}

std::string stamp_of(const Account& account, Credentials& credentials) {
  if (!account.access_token_command.empty()) {
    std::string words;
    for (const std::string& word : account.access_token_command) words += word + "\n";
    return "program." + base::sha256_hex(words);
  }
  const GrantRow& row = grant_row(account);
  if (row.credential) return credentials.stamp(*row.credential);
  // A key that is replaced makes tokens of the old one void; the token of another issuer is a new
  // one each hour and says nothing about ours.
  std::string stamp = std::string(row.word) + "." + account.client_id + ".";
  for (const std::string* path : {&account.app_certificate, &account.app_key}) {
    if (!path->empty()) stamp += stamp_of_file(*path);
  }
  return stamp;
}

}  // namespace token
