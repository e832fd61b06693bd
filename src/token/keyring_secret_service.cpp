#include "token/keyring_secret_service.h"

#include <unistd.h>

#include <utility>

#include "base/random.h"
#include "token/keyring_file.h"
#include "token/sealed_file.h"

namespace token {

namespace {

// The helper keeps the limit itself and says why; this is for a helper that cannot.
constexpr std::int64_t slack_ms = 2000;
constexpr std::int64_t lock_wait_ms = 5000;

net::Record request_for(const char* action, const account::Account& account, Kind kind) {
  net::Record request("keyring");
  request.put("action", action);
  request.put("account", account.name);
  request.put("user", account.user);
  request.put("client_id", account.client_id);
  request.put("tenant", account.tenant);
  request.put("token_endpoint", account.token_endpoint);
  request.put("kind", kind_name(kind));
  return request;
}

base::Error of_account(base::Error error, const account::Account& account) {
  error.account = account.name;
  return error;
}

}  // namespace

std::string session_bus(uid_t uid) {
  return "/run/user/" + std::to_string(uid) + "/bus";
}

base::Result<net::Record> SecretServiceKeyring::ask(const account::Account& account, Kind kind,
                                                    net::Record request) {
  const std::int64_t wait_ms = places_.may_prompt ? service_with_person_ms : service_ms;
  request.put("prompt", places_.may_prompt ? "1" : "0");
  request.put("wait_ms", std::to_string(wait_ms));
  if (!channel_.open()) {
    if (!places_.helper) {
      return of_account(
          base::failure(base::Fault::bug, "keyring = secret-service without mailbearer-helper"),
          account);
    }
    base::Result<base::Fd> opened = places_.helper();
    if (!opened) return of_account(std::move(opened).error(), account);
    channel_ = std::move(*opened);
  }
  const base::Deadline deadline = base::Deadline::after_ms(wait_ms + slack_ms);
  base::Done sent = net::send_record(channel_.get(), request, deadline);
  base::Result<net::Record> answer =
      sent ? net::receive_record(channel_.get(), deadline) : std::move(sent).error();
  if (!answer) {
    channel_.reset();  // what comes late must not be taken for the answer to the next
    return of_account(
        base::failure(base::Fault::unavailable, "the keyring does not answer", "try again"),
        account);
  }
  if (net::has_error(*answer)) {
    // The helper ends itself after some of its answers.
    channel_.reset();
    return of_account(net::get_error(*answer), account);
  }
  if (answer->get("state") == "other-settings") return other_settings(account, kind);
  return answer;
}

base::Result<std::optional<base::Secret>> SecretServiceKeyring::load(
    const account::Account& account, Kind kind) {
  base::Result<net::Record> answer = ask(account, kind, request_for("load", account, kind));
  if (!answer) return std::move(answer).error();
  if (answer->get("state") != "stored") return std::optional<base::Secret>();
  return std::optional<base::Secret>(answer->take("secret"));
}

base::Done SecretServiceKeyring::put(const account::Account& account, Kind kind,
                                     const base::Secret& secret) {
  net::Record request = request_for("store", account, kind);
  request.put("secret", secret.reveal());
  base::Result<net::Record> answer = ask(account, kind, std::move(request));
  stamp_anew(account, kind);  // also when no answer came: it may stand
  if (!answer) return std::move(answer).error();
  return base::done();
}

base::Done SecretServiceKeyring::store(const account::Account& account, Kind kind,
                                       const base::Secret& secret) {
  base::Result<base::Fd> lock = locked();
  if (!lock) return of_account(std::move(lock).error(), account);
  return put(account, kind, secret);
}

base::Result<bool> SecretServiceKeyring::exchange(const account::Account& account, Kind kind,
                                                  const base::Secret& expected,
                                                  const base::Secret& secret) {
  base::Result<base::Fd> lock = locked();
  if (!lock) return of_account(std::move(lock).error(), account);
  base::Result<std::optional<base::Secret>> stored = load(account, kind);
  if (!stored) return std::move(stored).error();
  if (!stored->has_value() || (*stored)->reveal() != expected.reveal()) return false;
  base::Done written = put(account, kind, secret);
  if (!written) return std::move(written).error();
  return true;
}

base::Result<bool> SecretServiceKeyring::erase(const account::Account& account, Kind kind) {
  base::Result<base::Fd> lock = locked();
  if (!lock) return of_account(std::move(lock).error(), account);
  base::Result<net::Record> answer = ask(account, kind, request_for("erase", account, kind));
  stamp_anew(account, kind);
  if (!answer) return std::move(answer).error();
  return answer->get("state") == "erased";
}

base::Result<base::Fd> SecretServiceKeyring::reserve(const account::Account& /*account*/,
                                                     Kind /*kind*/) {
  return base::Fd();
}

// Without a folder of one's own there is nobody to share with.
base::Result<base::Fd> SecretServiceKeyring::locked() {
  if (folder_.empty() || !make_private_folder(folder_)) return base::Fd();
  return base::lock_file(folder_ + "/.lock", lock_wait_ms);
}

std::string SecretServiceKeyring::stamp_path(const account::Account& account, Kind kind) const {
  return folder_ + "/" + name_for(std::string("stamp-") + kind_name(kind), account.name);
}

void SecretServiceKeyring::stamp_anew(const account::Account& account, Kind kind) const {
  if (folder_.empty()) return;
  const base::Done written =
      base::replace_file(stamp_path(account, kind), base::random_hex(16) + "\n", 0600);
  static_cast<void>(written);  // an access token of before is then used until it ends
}

std::string SecretServiceKeyring::stamp(const account::Account& account, Kind kind) {
  return "secret-service." + (folder_.empty() ? "" : stamp_of_file(stamp_path(account, kind)));
}

std::int64_t SecretServiceKeyring::changed_s(const account::Account& account, Kind kind) const {
  return folder_.empty() ? 0 : changed_s_of_file(stamp_path(account, kind));
}

std::string SecretServiceKeyring::describe() const {
  return "secret-service " + session_bus(geteuid());
}

}  // namespace token
