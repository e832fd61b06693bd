// keyring: where refresh tokens and secrets lie. One of the four seams for tests. Kinds: file
// (keyring_file), secret-service (keyring_secret_service, through the helper) and command
// (keyring_command: read only). Each credential is bound
// to its account's words (account::binding): a mismatch is Fault::config. Locked or absent store:
// Fault::unavailable, deletes nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "account/account.h"
#include "base/file.h"
#include "base/result.h"
#include "base/secret.h"

namespace token {

// device_password: what devices show at the network door, for this account.
enum class Kind : std::uint8_t {
  refresh_token,
  client_secret,
  password,
  key_passphrase,
  device_password,
};
const char* kind_name(Kind kind);  // "refresh-token"
std::optional<Kind> kind_of(std::string_view name);

class Keyring {
 public:
  virtual ~Keyring() = default;
  // Nothing: none is stored.
  virtual base::Result<std::optional<base::Secret>> load(const account::Account& account,
                                                         Kind kind) = 0;
  virtual base::Done store(const account::Account& account, Kind kind,
                           const base::Secret& secret) = 0;
  // False: there was none.
  virtual base::Result<bool> erase(const account::Account& account, Kind kind) = 0;
  // Stores `secret` only if what is stored still is `expected`; false: somebody was faster. For the
  // rotation of a refresh token, which must not overwrite a newer sign-in.
  virtual base::Result<bool> exchange(const account::Account& account, Kind kind,
                                      const base::Secret& expected, const base::Secret& secret) = 0;
  // Whether exchange() could store now, and the room that it will need, kept until this is closed
  // (a closed Fd: the store needs none). To be had before a provider is asked for something that
  // exists once.
  virtual base::Result<base::Fd> reserve(const account::Account& account, Kind kind) = 0;
  // Changes whenever what is stored changes, and is cheap to ask for; empty: nothing stored, or the
  // store cannot tell. A cached access token is good only for the stamp it was got with.
  virtual std::string stamp(const account::Account& account, Kind kind) = 0;
  // When what is stored was last written, as wall clock seconds; 0: the store cannot tell.
  virtual std::int64_t changed_s(const account::Account& account, Kind kind) const = 0;
  virtual std::string describe() const = 0;  // "file /home/a/.local/share/mailbearer/keyring"
};

// In the words of a sentence: "refresh token".
std::string spoken(Kind kind);
// What to type when a credential is missing or does not fit.
std::string cure_for(const account::Account& account, Kind kind);
base::Error other_settings(const account::Account& account, Kind kind);

struct KeyringPlaces {
  std::string credentials_directory{};  // $CREDENTIALS_DIRECTORY, or empty
  // Starts mailbearer-helper and yields a connected socket; may be called on any thread. Wanted by
  // secret-service; Source fills it in with its own.
  std::function<base::Result<base::Fd>()> helper{};
  // Whether a person is there who asked for this: only then may a store ask for its password.
  bool may_prompt = false;
};
base::Result<std::unique_ptr<Keyring>> open_keyring(const account::Account& account,
                                                    const KeyringPlaces& places);

}  // namespace token
