#include "token/secret_program.h"

#include "base/clock.h"
#include "token/credential.h"
#include "token/refresh.h"
#include "token_fixture.h"

using base::Fault;
using base::Secret;
using fixture::account_in;
using fixture::Home;
using token::Kind;

namespace {

account::Account with_command(const Home& home, const std::string& script) {
  account::Account account = account_in(home);
  account.keyring = account::Keyring::command;
  account.secret_command = {home.write("program", "#!/bin/sh\n" + script + "\n", 0700),
                            "mail/work"};
  return account;
}

account::Account with_token_command(const Home& home, const std::string& script) {
  account::Account account = account_in(home);
  account.access_token_command = {home.write("program", "#!/bin/sh\n" + script + "\n", 0700)};
  account.token_endpoint.clear();
  account.client_id.clear();
  return account;
}

base::Result<base::Fd> no_helper() {
  return base::failure(Fault::bug, "nobody needs a helper here");
}

base::Result<token::CachedToken> run(const account::Account& account, const std::string& refused) {
  token::Refresh refresh(account, {}, {});
  return refresh.run(no_helper, refused);
}

}  // namespace

TEST_CASE("secret_command: the first line is the secret that the account signs in with",
          "[token]") {
  Home home;
  account::Account account =
      with_command(home, "echo \"$1 $MAILBEARER_ACCOUNT $MAILBEARER_SECRET\"; echo more");
  auto keyring = std::move(*token::open_keyring(account, {}));
  const auto found = keyring->load(account, Kind::refresh_token);
  REQUIRE(found.ok());
  CHECK((*found)->reveal() == "mail/work work refresh-token");
  CHECK_FALSE(keyring->load(account, Kind::client_secret)->has_value());
  account.grant = account::Grant::app;
  CHECK((*keyring->load(account, Kind::client_secret))->reveal() == "mail/work work client-secret");
  account.auth = account::Auth::plain;
  CHECK((*keyring->load(account, Kind::password))->reveal() == "mail/work work password");
}

TEST_CASE("secret_command: nothing of our environment but the home reaches it", "[token]") {
  Home home;
  const account::Account account = account_in(home);
  for (const std::string& pair : token::environment_for_program(account, "password")) {
    const std::string name = pair.substr(0, pair.find('='));
    CHECK((name == "PATH" || name == "LANG" || name == "HOME" || name == "USER" ||
           name == "LOGNAME" || name == "SHELL" || name == "XDG_RUNTIME_DIR" ||
           name == "DBUS_SESSION_BUS_ADDRESS" || name == "MAILBEARER_ACCOUNT" ||
           name == "MAILBEARER_SECRET"));
  }
}

TEST_CASE("secret_command: it is read only, and says what to do", "[token]") {
  Home home;
  const account::Account account = with_command(home, "echo s");
  auto keyring = std::move(*token::open_keyring(account, {}));
  const base::Done stored = keyring->store(account, Kind::refresh_token, Secret("x"));
  REQUIRE_FALSE(stored.ok());
  CHECK(stored.error().fault == Fault::config);
  CHECK(stored.error().cause == "keyring = command can only be read, not stored in");
  CHECK(stored.error().cure.find("mail/work") != std::string::npos);
  CHECK_FALSE(keyring->erase(account, Kind::refresh_token).ok());
}

TEST_CASE("secret_command: silence, failure and control bytes are faults, told without the output",
          "[token]") {
  Home home;
  const auto fault_of = [&home](const std::string& script) {
    const account::Account account = with_command(home, script);
    auto found = (*token::open_keyring(account, {}))->load(account, Kind::refresh_token);
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().account == "work");
    CHECK(found.error().cure.find("mail/work") != std::string::npos);
    CHECK((found.error().cause + found.error().cure + found.error().said).find("canary") ==
          std::string::npos);
    return found.error().fault;
  };
  CHECK(fault_of("true") == Fault::config);
  CHECK(fault_of("echo; echo canary") == Fault::config);
  CHECK(fault_of("printf 'canary\\001\\n'") == Fault::config);
  CHECK(fault_of("echo canary; echo canary >&2; exit 2") == Fault::unavailable);
}

TEST_CASE("secret_command: a rotated refresh token is kept beside it until it prints another",
          "[token]") {
  Home home;
  home.write("given", "first\n");
  const account::Account account = with_command(home, "cat " + (home / "given"));
  token::Credentials credentials(account, {});
  auto used = credentials.load(Kind::refresh_token);
  REQUIRE(used.ok());
  CHECK(used->secret.reveal() == "first");
  const std::string stamp = credentials.stamp(Kind::refresh_token);
  CHECK(*credentials.replace(Kind::refresh_token, *used, Secret("second")));
  CHECK(credentials.load(Kind::refresh_token)->secret.reveal() == "second");
  CHECK(credentials.stamp(Kind::refresh_token) != stamp);
  home.write("given", "anew\n");
  CHECK(credentials.load(Kind::refresh_token)->secret.reveal() == "anew");
  home.write("given", "first\n");
  CHECK(*credentials.forget_rotated());
  CHECK(credentials.load(Kind::refresh_token)->secret.reveal() == "first");
}

TEST_CASE("access_token_command: the token, and how long it lives where it says so", "[token]") {
  Home home;
  CHECK(run(with_token_command(home, "exit 1"), {}).error().fault == Fault::unavailable);
  const auto plain = run(with_token_command(home, "echo tok-1"), {});
  REQUIRE(plain.ok());
  CHECK(plain->token.reveal() == "tok-1");
  CHECK(plain->expires_s == 0);
  const std::int64_t now = base::wall_seconds();
  const auto span = run(with_token_command(home, "echo tok-2; echo 3600"), {});
  CHECK(span->expires_s - now >= 3600);
  CHECK(span->expires_s - now < 3660);
  const auto moment = run(with_token_command(home, "echo tok-3; echo 1999999999"), {});
  CHECK(moment->expires_s == 1999999999);
  CHECK(run(with_token_command(home, "echo two words"), {}).error().fault == Fault::config);
}

TEST_CASE("access_token_command: shared by all processes while it says that it lives", "[token]") {
  Home home;
  const account::Account account =
      with_token_command(home, "echo x >>" + (home / "runs") + "; echo tok; echo 3600");
  for (int i = 0; i < 3; ++i) {
    token::Source source(account, {}, {no_helper});
    source.start();
    const auto got = source.get(token::Want::usable);
    REQUIRE(got.ok());
    CHECK(got->reveal() == "tok");
  }
  CHECK(fixture::content_of(home / "runs") == "x\n");
}

TEST_CASE("access_token_command: the same token again after a refusal is a person's business",
          "[token]") {
  Home home;
  const account::Account account = with_token_command(home, "echo tok");
  const auto got = run(account, token::digest_of(Secret("tok")));
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().fault == Fault::sign_in_needed);
}
