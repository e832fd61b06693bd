#include "verb/agent_secrets.h"

#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "submit/ask.h"
#include "verb/agent_answer.h"
#include "verb/agent_call.h"

namespace verb {

namespace {

constexpr std::array kinds = {token::Kind::refresh_token, token::Kind::client_secret,
                              token::Kind::password, token::Kind::key_passphrase,
                              token::Kind::device_password};

// One request; the last line of its answer is left in `line`.
base::Done request(const Place& place, const std::string& text, const base::Secret& secret,
                   std::string& line) {
  base::Result<submit::Refusal> answered = submit::ask(
      control_of(place), text, secret, [&line](std::string_view one) { line = std::string(one); });
  if (!answered) return std::move(answered).error();
  if (answered->exit == 0) return base::done();
  return base::failure(base::Fault::config, answered->sentence);
}

base::Result<bool> yes_or_no(const Place& place, const std::string& text, const char* yes) {
  std::string line;
  base::Done asked = request(place, text, {}, line);
  if (!asked) return std::move(asked).error();
  return read_flag(line, yes);
}

base::Done hand_over_all(const Place& place, const account::Account& account) {
  base::Result<std::unique_ptr<token::Keyring>> keyring =
      token::open_keyring(account, place.keyrings());
  if (!keyring) return std::move(keyring).error();
  for (const token::Kind kind : kinds) {
    base::Result<std::optional<base::Secret>> held = (*keyring)->load(account, kind);
    if (!held) return std::move(held).error();
    if (!held->has_value()) continue;
    base::Done given = give_to_agent(place, account, kind, **held);
    if (!given) return given;
  }
  return base::done();
}

}  // namespace

void forget_here(const Place& place, const account::Account& account) {
  if (!agent_keeps_secrets(place)) return;
  base::Result<std::unique_ptr<token::Keyring>> keyring =
      token::open_keyring(account, place.keyrings());
  if (!keyring) return;
  for (const token::Kind kind : kinds) {
    if (!agent_has(place, account.name, kind).ok()) return;  // it is not reached: nothing is lost
    static_cast<void>((*keyring)->erase(account, kind).ok());
  }
}

bool agent_keeps_secrets(const Place& place) {
  if (!agent_answers(place)) return false;
  // Not by the peer of the socket: what systemd listens on is root's.
  std::string line;
  if (!request(place, "XSTATUS", {}, line)) return false;
  const base::Result<AgentStatus> status = read_status(line);
  return status && status->uid >= 0 && status->uid != static_cast<std::int64_t>(geteuid());
}

base::Done give_to_agent(const Place& place, const account::Account& account, token::Kind kind,
                         const base::Secret& secret) {
  std::string line;
  return request(place,
                 "XSECRET set " + account.name + " " + token::kind_name(kind) + " " +
                     std::to_string(secret.size()),
                 secret, line);
}

base::Result<bool> agent_forgets(const Place& place, const std::string& account, token::Kind kind) {
  return yes_or_no(place, "XSECRET clear " + account + " " + token::kind_name(kind), "erased");
}

base::Result<bool> agent_has(const Place& place, const std::string& account, token::Kind kind) {
  return yes_or_no(place, "XSECRET status " + account + " " + token::kind_name(kind), "stored");
}

base::Result<std::int64_t> tell_agent(const Place& place, const account::Account& account) {
  if (!agent_answers(place)) return 0;
  std::string line;
  // A configuration that is faulty elsewhere stays as it was; this account may be fine all the
  // same, and if it is not, the next line says so.
  static_cast<void>(request(place, "XRELOAD", {}, line).ok());
  if (agent_keeps_secrets(place)) {
    base::Done handed = hand_over_all(place, account);
    if (!handed) return std::move(handed).error();
  }
  base::Done released = request(place, "XRELEASE " + account.name, {}, line);
  if (!released) return std::move(released).error();
  const base::Result<Count> count = read_count(line);
  return count ? count->messages : 0;
}

}  // namespace verb
