#include "token/device.h"

#include <algorithm>
#include <array>
#include <utility>

#include "account/keys.h"
#include "base/text.h"
#include "net/http.h"
#include "token/grants.h"
#include "token/refusal.h"
#include "token/sign_in_request.h"

namespace token {

namespace {

constexpr const char* device_grant = "urn:ietf:params:oauth:grant-type:device_code";
constexpr std::int64_t slower_s = 5;  // RFC 8628 3.5
constexpr std::int64_t longest_wait_s = 60;
constexpr std::size_t shortest_code = 4;

// Where people type codes: the site of the endpoint itself, or one of these. Source: facts
// (providers) 1.4.
struct Site {
  std::string_view endpoint;  // a domain: it and all below it
  std::string_view page;
};
constexpr std::array sites = {
    Site{"microsoftonline.com", "microsoft.com"},
    Site{"microsoftonline.us", "microsoft.com"},
    Site{"microsoftonline.us", "microsoft.us"},
    Site{"partner.microsoftonline.cn", "microsoft.com"},
    Site{"partner.microsoftonline.cn", "microsoft.cn"},
    Site{"chinacloudapi.cn", "chinacloudapi.cn"},
};

// Conditional access and its kin: what forbids device codes may well allow a browser.
constexpr std::array<long, 8> policy_codes = {50097, 50131, 53000,  53001,
                                              53002, 53003, 530003, 530035};

base::Error config_error(const account::Account& account, const std::string& cause,
                         const std::string& cure) {
  base::Error error = base::failure(base::Fault::config, cause, cure);
  error.account = account.name;
  return error;
}

struct Address {
  std::string scheme{};
  std::string host{};
};

// Enough of RFC 3986 to know whose an address is; nothing for what hides that.
std::optional<Address> address_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos || base::has_control(url) || !base::is_ascii(url) ||
      url.find_first_of("\\ \"<>`") != std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view authority = url.substr(scheme + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (authority.empty() || authority.find('@') != std::string_view::npos) return std::nullopt;
  const std::size_t port = authority.rfind(':');
  const bool has_port =
      port != std::string_view::npos && authority.find(']', port) == std::string_view::npos;
  std::string host = base::lower(has_port ? authority.substr(0, port) : authority);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return Address{base::lower(url.substr(0, scheme)), std::move(host)};
}

bool within(std::string_view host, std::string_view domain) {
  if (host == domain) return true;
  return host.size() > domain.size() && host.ends_with(domain) &&
         host[host.size() - domain.size() - 1] == '.';
}

bool may_be_shown(std::string_view url, const account::Account& account) {
  const std::optional<Address> page = address_of(url);
  const std::optional<Address> endpoint = address_of(account.device_authorization_endpoint);
  if (!page || !endpoint) return false;
  if (account::is_loopback_name(page->host)) return account::is_loopback_name(endpoint->host);
  if (page->scheme != "https") return false;
  if (page->host == endpoint->host) return true;
  return std::any_of(sites.begin(), sites.end(), [&](const Site& site) {
    return within(endpoint->host, site.endpoint) && within(page->host, site.page);
  });
}

bool by_policy(const net::Record& answer) {
  const std::vector<long> codes = codes_of(answer);
  return std::any_of(codes.begin(), codes.end(), [](long code) {
    return std::find(policy_codes.begin(), policy_codes.end(), code) != policy_codes.end();
  });
}

bool is_google(const account::Account& account) {
  const std::optional<Address> endpoint = address_of(account.token_endpoint);
  return account.provider == "google" || (endpoint && within(endpoint->host, "googleapis.com"));
}

}  // namespace

struct Device::State {
  const account::Account& account;
  const SignInPlaces& places;
  DevicePrompt prompt{};
  base::Secret device_code{};
  std::int64_t interval_s = 5;
  std::int64_t wait_s = 5;  // longer than the interval while nobody answers
  base::Deadline next = base::Deadline::never();
  base::Deadline expires = base::Deadline::never();
  bool policy = false;
  base::Error trouble{};

  base::Done take(const net::Record& answer);
  base::Result<std::optional<SignedIn>> judge(net::Record answer, std::int64_t asked_s);
  void wait_again(std::int64_t seconds) {
    wait_s = seconds;
    next = base::Deadline::after_ms(seconds * 1000);
  }
};

base::Done Device::State::take(const net::Record& answer) {
  if (answer.number("status", 0) != 200 || answer.get("device_code").empty()) {
    policy = by_policy(answer);
    return refusal_of(answer, account);
  }
  const std::string uri(answer.get("verification_uri"));
  const std::string full(answer.get("verification_uri_complete"));
  const std::string code(answer.get("user_code"));
  if (code.size() < shortest_code || uri.empty()) {
    base::Error error =
        base::failure(base::Fault::unavailable, "unusable answer of the device endpoint",
                      "check device_authorization_endpoint of " + account.name);
    error.account = account.name;
    return error;
  }
  if (!may_be_shown(uri, account) || (!full.empty() && !may_be_shown(full, account))) {
    return config_error(
        account, "the page for the device code is of another site (" + base::clean(uri, 60) + ")",
        "run: mailbearer login " + account.name + " --paste");
  }
  prompt.code = code;
  prompt.uri = uri;
  prompt.full_uri = full;
  prompt.message = answer.get("message");
  prompt.expires_in_s = answer.number("expires_in", 900);
  device_code = base::Secret(answer.get("device_code"));
  interval_s = answer.number("interval", 5);
  expires = base::Deadline::after_ms(prompt.expires_in_s * 1000);
  wait_again(interval_s);
  return base::done();
}

base::Result<std::optional<SignedIn>> Device::State::judge(net::Record answer,
                                                           std::int64_t asked_s) {
  const std::string error(answer.get("error"));
  if (error == "slow_down") interval_s = std::min(interval_s + slower_s, longest_wait_s);
  if (error == "authorization_pending" || error == "slow_down") {
    wait_again(interval_s);
    return std::optional<SignedIn>();
  }
  const std::int64_t status = answer.number("status", 0);
  if (status == 429 || status >= 500) {
    const std::int64_t told = answer.number("retry_after", 0);
    trouble = refusal_of(answer, account);
    wait_again(std::min(told > 0 ? std::max(told, interval_s) : wait_s * 2, longest_wait_s));
    return std::optional<SignedIn>();
  }
  policy = by_policy(answer);
  base::Result<SignedIn> signed_in = signed_in_by(std::move(answer), account, {}, asked_s);
  if (!signed_in) return std::move(signed_in).error();
  return std::optional<SignedIn>(std::move(*signed_in));
}

Device::Device(const account::Account& account, const SignInPlaces& places)
    : state_(new State{account, places}) {}
Device::~Device() = default;

base::Done Device::possible(const account::Account& account) {
  const std::string other = "run: mailbearer login " + account.name + " --paste";
  if (account.grant != account::Grant::user) {
    return config_error(account, "no person signs in to an account with another grant than user",
                        "set grant = user, or use: mailbearer login " + account.name + " --app");
  }
  if (is_google(account)) {
    return config_error(account, "Google allows no device code for mail", other);
  }
  if (account.device_authorization_endpoint.empty()) {
    return config_error(account, "device_authorization_endpoint is not set", other);
  }
  if (!net::secret_may_travel(account.device_authorization_endpoint)) {
    return config_error(account, "device_authorization_endpoint does not begin with https://",
                        "set device_authorization_endpoint to an https:// address");
  }
  return check_grant(account);
}

base::Done Device::start() {
  const account::Account& account = state_->account;
  base::Done can = possible(account);
  if (!can) return can;
  base::Done ready = ready_to_keep(account, state_->places);
  if (!ready) return ready;
  net::Record request = request_to(account, account.device_authorization_endpoint, "device");
  request.put("form.client_id", account.client_id);
  if (!account.scope.empty()) request.put("form.scope", account.scope);
  if (!account.resource.empty()) request.put("form.resource", account.resource);
  base::Result<net::Record> answer = ask_helper(account, state_->places, request);
  if (!answer) return std::move(answer).error();
  return state_->take(*answer);
}

const DevicePrompt& Device::prompt() const {
  return state_->prompt;
}

int Device::wait_ms() const {
  return state_->next.or_sooner(state_->expires).left_ms();
}

std::int64_t Device::seconds_left() const {
  return state_->expires.left_ms() / 1000;
}

const base::Error& Device::trouble() const {
  return state_->trouble;
}

bool Device::paste_instead() const {
  return state_->policy;
}

base::Result<std::optional<SignedIn>> Device::poll() {
  const account::Account& account = state_->account;
  if (state_->device_code.empty()) {
    return base::failure(base::Fault::bug, "no device sign-in was started");
  }
  if (state_->expires.passed()) {
    base::Error error = base::failure(base::Fault::sign_in_needed, "the device code has expired",
                                      "run: mailbearer login " + account.name);
    error.account = account.name;
    return error;
  }
  if (!state_->next.passed()) return std::optional<SignedIn>();
  base::Done ready = ready_to_keep(account, state_->places);
  if (!ready) return std::move(ready).error();
  net::Record request = request_to(account, account.token_endpoint);
  request.put("claims", "1");
  request.put("form.grant_type", device_grant);
  request.put("form.client_id", account.client_id);
  request.put("form.device_code", state_->device_code.reveal());
  Credentials credentials(account, state_->places.places.keyring);
  base::Done secret = put_client_secret(request, account, credentials);
  if (!secret) return std::move(secret).error();
  const std::int64_t asked_s = base::wall_seconds();
  state_->trouble = base::Error();
  base::Result<net::Record> answer = ask_helper(account, state_->places, request);
  if (!answer) {
    // RFC 8628 3.5: who gets no answer asks less and less.
    if (answer.error().fault != base::Fault::unavailable) return std::move(answer).error();
    state_->trouble = std::move(answer).error();
    state_->wait_again(std::min(state_->wait_s * 2, longest_wait_s));
    return std::optional<SignedIn>();
  }
  return state_->judge(std::move(*answer), asked_s);
}

}  // namespace token
