#include "token/keyring.h"

#include <sys/wait.h>

#include <set>

#include "base/seal.h"
#include "token/keyring_file.h"
#include "token/store_key.h"
#include "token_fixture.h"

using base::Fault;
using base::Secret;
using fixture::account_in;
using fixture::content_of;
using fixture::Home;
using token::Kind;

namespace {

std::unique_ptr<token::Keyring> open(const account::Account& account,
                                     const token::KeyringPlaces& places = {}) {
  auto keyring = token::open_keyring(account, places);
  REQUIRE(keyring.ok());
  return std::move(*keyring);
}

std::string load(const account::Account& account, Kind kind = Kind::refresh_token) {
  auto found = open(account)->load(account, kind);
  if (!found) return "!" + found.error().cause;
  return found->has_value() ? std::string((*found)->reveal()) : "(none)";
}

unsigned mode_of(const std::string& path) {
  struct stat facts {};
  REQUIRE(lstat(path.c_str(), &facts) == 0);
  return facts.st_mode & 07777U;
}

void store(const account::Account& account, const std::string& secret) {
  REQUIRE(open(account)->store(account, Kind::refresh_token, Secret(secret)).ok());
}

}  // namespace

TEST_CASE("keyring file: what is stored is found again, closed to others and sealed", "[token]") {
  Home home;
  const auto account = account_in(home);
  CHECK(load(account) == "(none)");
  CHECK_FALSE(std::filesystem::exists(home / "keyring"));
  store(account, "canary-1");
  store(account, "canary-2");
  CHECK(load(account) == "canary-2");
  CHECK(load(account, Kind::client_secret) == "(none)");
  CHECK(mode_of(home / "keyring") == 0700);
  CHECK(mode_of(home / "keyring.key") == 0400);
  const auto files = home.files("keyring", "refresh-token-");
  REQUIRE(files.size() == 1);
  CHECK(mode_of(files[0]) == 0600);
  CHECK(content_of(files[0]).find("canary") == std::string::npos);
  CHECK(content_of(files[0]).rfind("MBC2 ", 0) == 0);
  CHECK(home.files("keyring", "").size() == 2);  // and the lock: no older copy stays
}

TEST_CASE("keyring file: a name of an account steers no path", "[token]") {
  Home home;
  auto account = account_in(home);
  account.name = "../../etc/passwd\n/x";
  store(account, "token");
  CHECK(load(account) == "token");
  CHECK(home.files("keyring", "refresh-token-").size() == 1);
}

TEST_CASE("keyring file: other settings are told apart from damage (design 5)", "[token]") {
  Home home;
  auto account = account_in(home);
  store(account, "token");
  for (auto change : std::vector<std::function<void(account::Account&)>>{
           [](auto& a) { a.user = "you@example.org"; }, [](auto& a) { a.client_id = "x"; },
           [](auto& a) { a.tenant = "x"; }, [](auto& a) { a.token_endpoint += "x"; }}) {
    auto changed = account;
    change(changed);
    auto found = open(changed)->load(changed, Kind::refresh_token);
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().fault == Fault::config);
    CHECK(found.error().cause ==
          "the stored refresh token of `work` belongs to other settings (user, client_id, tenant "
          "or token_endpoint changed)");
    CHECK(found.error().cure == "run: mailbearer login work");
  }
  CHECK(load(account) == "token");
}

TEST_CASE("keyring file: erase says whether there was one", "[token]") {
  Home home;
  const auto account = account_in(home);
  CHECK_FALSE(*open(account)->erase(account, Kind::refresh_token));
  store(account, "token");
  CHECK(*open(account)->erase(account, Kind::refresh_token));
  CHECK(load(account) == "(none)");
}

TEST_CASE("keyring file: exchange stores only over what was expected", "[token]") {
  Home home;
  const auto account = account_in(home);
  auto keyring = open(account);
  CHECK_FALSE(*keyring->exchange(account, Kind::refresh_token, Secret("a"), Secret("b")));
  store(account, "a");
  const std::string before = keyring->stamp(account, Kind::refresh_token);
  CHECK_FALSE(*keyring->exchange(account, Kind::refresh_token, Secret("x"), Secret("b")));
  CHECK(keyring->stamp(account, Kind::refresh_token) == before);
  CHECK(*keyring->exchange(account, Kind::refresh_token, Secret("a"), Secret("b")));
  CHECK(load(account) == "b");
  CHECK(keyring->stamp(account, Kind::refresh_token) != before);
}

TEST_CASE("T10: a store file that is not as we left it is refused and stays", "[token]") {
  Home home;
  const auto account = account_in(home);
  store(account, "token");
  const std::string file = home.files("keyring", "refresh-token-")[0];
  const std::string whole = content_of(file);
  const auto refused = [&](Fault fault) {
    auto found = open(account)->load(account, Kind::refresh_token);
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().fault == fault);
    CHECK_FALSE(found.error().cure.empty());
    CHECK(std::filesystem::exists(std::filesystem::symlink_status(file)));
  };
  SECTION("truncated or changed anywhere") {
    for (std::size_t at = 0; at < whole.size(); at += 7) {
      std::ofstream(file, std::ios::binary) << whole.substr(0, at);
      refused(Fault::sign_in_needed);
    }
    std::string changed = whole;
    changed.back() = static_cast<char>(changed.back() ^ 1);
    std::ofstream(file, std::ios::binary) << changed;
    refused(Fault::sign_in_needed);
  }
  SECTION("readable by others") {
    REQUIRE(chmod(file.c_str(), 0640) == 0);
    refused(Fault::config);
  }
  SECTION("a symbolic link") {
    std::filesystem::rename(file, home / "elsewhere");
    std::filesystem::create_symlink(home / "elsewhere", file);
    refused(Fault::config);
  }
  SECTION("a second name") {
    std::filesystem::create_hard_link(file, home / "second");
    refused(Fault::config);
  }
  SECTION("a fifo does not hang us") {
    std::filesystem::remove(file);
    REQUIRE(mkfifo(file.c_str(), 0600) == 0);
    refused(Fault::config);
  }
  SECTION("a folder open to others") {
    REQUIRE(chmod((home / "keyring").c_str(), 0755) == 0);
    refused(Fault::config);
  }
  SECTION("another key") {
    std::filesystem::remove(home / "keyring.key");
    home.write("keyring.key", std::string(32, 'k'), 0400);
    refused(Fault::sign_in_needed);
  }
  SECTION("no key") {
    std::filesystem::remove(home / "keyring.key");
    refused(Fault::sign_in_needed);
  }
  SECTION("a key that others may read") {
    REQUIRE(chmod((home / "keyring.key").c_str(), 0444) == 0);
    refused(Fault::config);
  }
}

TEST_CASE("T10: an older file put back is noticed, also after erasing", "[token]") {
  Home home;
  const auto account = account_in(home);
  store(account, "first");
  const std::string file = home.files("keyring", "refresh-token-")[0];
  const std::string first = content_of(file);
  store(account, "second");
  const std::string second = content_of(file);
  const auto put = [&](const std::string& bytes) {
    home.write("old", bytes);
    std::filesystem::rename(home / "old", file);
  };
  put(first);
  auto found = open(account)->load(account, Kind::refresh_token);
  REQUIRE_FALSE(found.ok());
  CHECK(found.error().fault == Fault::sign_in_needed);
  CHECK(found.error().cause ==
        "an older copy of the stored refresh token was put back into " + (home / "keyring"));
  CHECK(found.error().cure == "run: mailbearer login work");
  CHECK(std::filesystem::exists(file));
  put(second);
  CHECK(load(account) == "second");
  CHECK(*open(account)->erase(account, Kind::refresh_token));
  put(second);
  CHECK_FALSE(open(account)->load(account, Kind::refresh_token).ok());
  store(account, "third");
  CHECK(load(account) == "third");
  // The number cannot be raised by hand.
  std::string forged = second;
  forged[5 + 64 + 1 + 19] = '9';
  put(forged);
  CHECK_FALSE(open(account)->load(account, Kind::refresh_token).ok());
}

TEST_CASE(
    "keyring file: one written before there were generations is read, and an older one not put "
    "over a newer",
    "[token]") {
  Home home;
  const auto account = account_in(home);
  store(account, "new");
  const std::string file = home.files("keyring", "refresh-token-")[0];
  const auto key = token::load_key({"", home / "keyring.key"});
  const std::string words = account::binding(account) + "\nrefresh-token";
  REQUIRE(token::write_sealed(file, **key, words, Secret("old")).ok());
  CHECK(content_of(file).rfind("MBC1 ", 0) == 0);
  CHECK_FALSE(open(account)->load(account, Kind::refresh_token).ok());
  // Without a note nobody can tell: an upgrade, or a restored backup.
  std::filesystem::remove(home / "keyring.seen");
  CHECK(load(account) == "old");
  store(account, "newer");
  CHECK(load(account) == "newer");
  CHECK(mode_of(home / "keyring.seen") == 0600);
}

TEST_CASE("store key: $CREDENTIALS_DIRECTORY comes first, hexadecimal or raw", "[token]") {
  Home home;
  std::filesystem::create_directory(home / "credentials");
  token::KeyPlaces places{home / "credentials", home / "ring.key"};
  auto none = token::load_key(places);
  REQUIRE(none.ok());
  CHECK_FALSE(none->has_value());
  auto made = token::load_or_make_key(places);
  REQUIRE(made.ok());
  CHECK(made->size() == 32);
  CHECK((*token::load_key(places))->reveal() == made->reveal());
  std::string hex;
  for (int i = 0; i < 32; ++i) hex += "6A";
  home.write("credentials/mailbearer.key", hex + "\n", 0440);
  CHECK((*token::load_key(places))->reveal() == std::string(32, 'j'));
  home.write("credentials/mailbearer.key", "short", 0440);
  CHECK(token::load_key(places).error().fault == Fault::config);
  home.write("credentials/mailbearer.key", std::string(64, 'z'), 0440);
  CHECK(token::load_key(places).error().fault == Fault::config);
  home.write("credentials/mailbearer.key", hex, 0444);
  CHECK(token::load_key(places).error().fault == Fault::config);
}

TEST_CASE("store key: makers that race end with one key", "[token]") {
  Home home;
  for (int round = 0; round < 5; ++round) {
    const std::string folder = "r" + std::to_string(round);
    std::vector<pid_t> children;
    for (int i = 0; i < 12; ++i) {
      const pid_t child = fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        auto key = token::load_or_make_key({"", home / (folder + "/ring.key")});
        if (!key) _exit(1);
        std::ofstream(home / (folder + "/out" + std::to_string(i)))
            << base::sha256_hex(key->reveal());
        _exit(0);
      }
      children.push_back(child);
    }
    for (const pid_t child : children) {
      int status = 0;
      waitpid(child, &status, 0);
      CHECK(status == 0);
    }
    std::set<std::string> seen;
    for (const std::string& file : home.files(folder, "out")) seen.insert(content_of(file));
    CHECK(seen.size() == 1);
    CHECK(home.files(folder, "ring.key").size() == 1);  // no temporary one stays
  }
}

TEST_CASE("keyring file: 16 writers at once lose nothing of each other's accounts (finding 7)",
          "[token]") {
  Home home;
  std::vector<pid_t> children;
  for (int i = 0; i < 16; ++i) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      auto account = account_in(home);
      account.name = "a" + std::to_string(i);
      auto keyring = token::open_keyring(account, {});
      const bool ok = keyring && (*keyring)->store(account, Kind::password, Secret(account.name));
      _exit(ok ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  for (int i = 0; i < 16; ++i) {
    auto account = account_in(home);
    account.name = "a" + std::to_string(i);
    CHECK(load(account, Kind::password) == account.name);
  }
}

TEST_CASE("keyring: kinds have names, and each sort says what it is", "[token]") {
  for (const Kind kind :
       {Kind::refresh_token, Kind::client_secret, Kind::password, Kind::key_passphrase}) {
    CHECK(token::kind_of(token::kind_name(kind)) == kind);
  }
  CHECK_FALSE(token::kind_of("refresh_token").has_value());
  Home home;
  auto account = account_in(home);
  account.keyring = account::Keyring::secret_service;
  CHECK(open(account)->describe() ==
        "secret-service /run/user/" + std::to_string(geteuid()) + "/bus");
  account.keyring = account::Keyring::command;
  account.secret_command = {"/usr/bin/pass", "show", "mail/work"};
  CHECK(open(account)->describe() == "command /usr/bin/pass show mail/work");
  account.keyring = account::Keyring::file;
  account.keyring_dir = "relative";
  CHECK_FALSE(token::open_keyring(account, {}).ok());
  account.keyring_dir = home / "keyring/";
  CHECK(open(account)->describe() == "file " + (home / "keyring"));
}
