#include "doctor/exposure.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "catch.h"

using doctor::exposure_of;
using doctor::Safety;
using token::Kind;

namespace {

account::Account with(account::Keyring keyring) {
  account::Account account;
  account.name = "work";
  account.keyring = keyring;
  return account;
}

}  // namespace

TEST_CASE("exposure: no store is called safe from root, or from one's own programs", "[doctor]") {
  for (const auto keyring : {account::Keyring::unset, account::Keyring::file,
                             account::Keyring::secret_service, account::Keyring::command}) {
    for (const bool systemd : {false, true}) {
      const auto exposure = exposure_of(with(keyring), Kind::refresh_token, "somewhere", systemd);
      CHECK(exposure.where == "somewhere");
      CHECK(exposure.root.safety == Safety::open);
      CHECK(exposure.same_user.safety == Safety::open);
      for (const doctor::Threat* threat : {&exposure.stolen, &exposure.copy, &exposure.other_user,
                                           &exposure.same_user, &exposure.root}) {
        CHECK_FALSE(threat->why.empty());
      }
    }
  }
}

TEST_CASE("exposure: a stolen disk holds the key of a sealed file, unless systemd keeps it",
          "[doctor]") {
  const auto file = with(account::Keyring::file);
  CHECK(exposure_of(file, Kind::refresh_token, "x", false).stolen.safety == Safety::open);
  CHECK(exposure_of(file, Kind::refresh_token, "x", true).stolen.safety == Safety::depends);
  CHECK(exposure_of(file, Kind::refresh_token, "x", false).copy.safety == Safety::safe);
}

TEST_CASE("exposure: a secret's own file is judged by its mode, whatever the keyring", "[doctor]") {
  std::string pattern = std::filesystem::temp_directory_path() / "exposure-XXXXXX";
  const int fd = mkstemp(pattern.data());
  REQUIRE(fd >= 0);
  close(fd);
  auto account = with(account::Keyring::secret_service);
  account.client_secret_file = pattern;
  const auto other_user = [&](mode_t mode) {
    REQUIRE(chmod(pattern.c_str(), mode) == 0);
    return exposure_of(account, Kind::client_secret, "x", false).other_user.safety;
  };
  CHECK(other_user(0600) == Safety::safe);
  CHECK(other_user(0640) == Safety::depends);
  CHECK(other_user(0644) == Safety::open);
  CHECK(exposure_of(account, Kind::client_secret, "x", false).where ==
        "file " + pattern + ", as it is");
  std::filesystem::remove(pattern);
  CHECK(exposure_of(account, Kind::client_secret, "x", false).other_user.safety == Safety::depends);
}
