// The standing agent's door for devices: who may come, as whom, and what they hear.
#include <future>
#include <utility>

#include "account/choose.h"
#include "agent/standing.h"
#include "base/seal.h"
#include "base/text.h"
#include "token/keyring.h"

namespace agent {

// Opened once: a change of these keys wants a restart.
base::Done Standing::open_network() {
  const SharedConfiguration now = in_force_.get();
  NetworkRules rules;
  if (now != nullptr) rules.listen = base::words(main_value(*now, "listen_tcp"));
  if (rules.listen.empty()) return base::done();
  rules.allow = base::words(main_value(*now, "listen_allow"));
  rules.wants_auth = main_value(*now, "listen_auth") != "none";
  rules.certificate = main_value(*now, "listen_certificate");
  base::Result<std::unique_ptr<NetworkDoor>> opened = NetworkDoor::open(
      std::move(rules),
      [this](const std::string& name, const base::Secret& password) {
        return admit(name, password);
      },
      [this](mail::Submission submission) { return take_from_network(std::move(submission)); });
  if (!opened) return std::move(opened).error();
  network_ = std::move(*opened);
  return base::done();
}

// The account that a device signs in for, by its name or its user; empty: name or password is
// wrong.
std::string Standing::admit(const std::string& name, const base::Secret& password) const {
  const SharedConfiguration now = in_force_.get();
  if (now == nullptr) return {};
  for (const account::Account& account : now->accounts) {
    if (account.broken || (account.name != name && account.user != name)) continue;
    token::KeyringPlaces places;
    places.credentials_directory = around_.environment.credentials_directory;
    base::Result<std::unique_ptr<token::Keyring>> keyring = token::open_keyring(account, places);
    if (!keyring) continue;
    const base::Result<std::optional<base::Secret>> held =
        (*keyring)->load(account, token::Kind::device_password);
    // Digests have one length, so that nothing is learnt from the time that a comparison takes.
    if (held && held->has_value() &&
        base::sha256_hex((*held)->reveal()) == base::sha256_hex(password.reveal())) {
      return account.name;
    }
  }
  return {};
}

// On the device's own thread, which waits for the verdict.
submit::Verdict Standing::take_from_network(mail::Submission submission) {
  const auto verdict = std::make_shared<std::promise<submit::Verdict>>();
  std::future<submit::Verdict> coming = verdict->get_future();
  const auto shared = std::make_shared<mail::Submission>(std::move(submission));
  const Caller caller{[verdict](submit::Verdict one) { verdict->set_value(std::move(one)); }, {}};
  commits_->add([this, caller, shared](std::size_t) { judge(caller, shared, {}); });
  return coming.get();
}

}  // namespace agent
