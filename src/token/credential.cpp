#include "token/credential.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/seal.h"
#include "base/text.h"
#include "token/keyring_file.h"

namespace token {

namespace {

constexpr std::size_t limit_bytes = std::size_t{64} * 1024;

std::string_view without_newline(std::string_view text) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

base::Error none_stored(const account::Account& account, Kind kind) {
  const bool sign_in = kind == Kind::refresh_token;
  std::string what = kind_name(kind);
  std::replace(what.begin(), what.end(), '-', ' ');
  base::Error error = base::failure(
      base::Fault::sign_in_needed, sign_in ? "not signed in yet" : "no " + what + " is stored",
      sign_in ? "run: mailbearer login " + account.name
              : "run: mailbearer secret set " + account.name + " " + kind_name(kind));
  error.account = account.name;
  return error;
}

}  // namespace

FileKey file_key(const account::Account& account, Kind kind) {
  switch (kind) {
    case Kind::refresh_token:
      return {"refresh_token_file", account.refresh_token_file};
    case Kind::client_secret:
      return {"client_secret_file", account.client_secret_file};
    case Kind::password:
      return {"password_file", account.password_file};
    case Kind::key_passphrase:
    case Kind::device_password:
      break;
  }
  return {"", ""};
}

base::Result<Keyring*> Credentials::keyring() {
  if (!keyring_) {
    base::Result<std::unique_ptr<Keyring>> opened = open_keyring(account_, places_);
    if (!opened) return std::move(opened).error();
    keyring_ = std::move(*opened);
  }
  return keyring_.get();
}

std::string Credentials::rotated_path() const {
  const std::string& folder = account_.keyring_dir;
  return folder.empty() ? "" : folder + "/" + name_for("rotated-refresh-token", account_.name);
}

std::string Credentials::rotated_words(const std::string& file_digest) const {
  return account::binding(account_) + "\nrotated-refresh-token\n" + file_digest;
}

base::Result<Credential> Credentials::from_file(const std::string& path, Kind kind) {
  base::Result<base::Fd> file = base::open_trusted(path);
  if (!file) return std::move(file).error();
  base::Result<base::Secret> content = base::read_secret(file->get(), limit_bytes, path);
  if (!content) return std::move(content).error();
  const std::string_view text = without_newline(content->reveal());
  if (text.empty()) return base::failure(base::Fault::config, path + " is empty");
  if (base::has_control(text)) {
    return base::failure(base::Fault::config, path + " holds more than one line of text");
  }
  Credential credential{base::Secret(text), base::sha256_hex(text)};
  if (kind == Kind::refresh_token) take_rotated(credential);
  return credential;
}

void Credentials::take_rotated(Credential& credential) {
  if (rotated_path().empty()) return;
  // Whatever is wrong with the rotated one, the given one is still there.
  base::Result<std::optional<base::Secret>> key =
      load_key(key_places(account_.keyring_dir, places_));
  if (!key || !key->has_value()) return;
  base::Result<Unsealed> rotated =
      read_sealed(rotated_path(), **key, rotated_words(credential.file_digest));
  if (rotated && rotated->state == Unsealed::State::opened) {
    credential.secret = std::move(rotated->secret);
  }
}

base::Result<bool> Credentials::forget_rotated() {
  if (rotated_path().empty() || unlink(rotated_path().c_str()) != 0) return false;
  return true;
}

base::Result<std::optional<Credential>> Credentials::load_if_any(Kind kind) {
  const FileKey named = file_key(account_, kind);
  if (!named.path.empty()) {
    base::Result<Credential> credential = from_file(named.path, kind);
    if (!credential) {
      base::Error error = std::move(credential).error();
      error.account = account_.name;
      if (error.cure.empty()) error.cure = std::string("check ") + named.key;
      return error;
    }
    return std::optional<Credential>(std::move(*credential));
  }
  base::Result<std::optional<base::Secret>> stored = from_keyring(kind);
  if (!stored) {
    // A container: secrets as files, no home, perhaps no place for a keyring. What such an account
    // signs in with is in its file, and a further secret that cannot be there is not missed.
    if (kind == Kind::client_secret && !account_.refresh_token_file.empty()) {
      return std::optional<Credential>();
    }
    return std::move(stored).error();
  }
  if (!stored->has_value()) return std::optional<Credential>();
  Credential credential{std::move(**stored), {}};
  // A program's answer is like a file: it cannot be written, so what the provider gives instead of
  // it is kept beside it.
  if (account_.keyring == account::Keyring::command && kind == Kind::refresh_token) {
    credential.file_digest = base::sha256_hex(credential.secret.reveal());
    take_rotated(credential);
  }
  return std::optional<Credential>(std::move(credential));
}

base::Result<std::optional<base::Secret>> Credentials::from_keyring(Kind kind) {
  base::Result<Keyring*> opened = keyring();
  if (!opened) return std::move(opened).error();
  return (*opened)->load(account_, kind);
}

base::Result<Credential> Credentials::load(Kind kind) {
  base::Result<std::optional<Credential>> found = load_if_any(kind);
  if (!found) return std::move(found).error();
  if (!found->has_value()) return none_stored(account_, kind);
  return std::move(**found);
}

base::Result<base::Fd> Credentials::reserve(Kind kind, const Credential& used) {
  if (!used.file_digest.empty()) return base::Fd();
  base::Result<Keyring*> opened = keyring();
  if (!opened) return std::move(opened).error();
  return (*opened)->reserve(account_, kind);
}

bool Credentials::stands(Kind kind, const base::Secret& rotated) {
  const base::Result<Credential> now = load(kind);
  return now && now->secret.reveal() == rotated.reveal();
}

base::Result<bool> Credentials::replace(Kind kind, const Credential& used,
                                        const base::Secret& rotated) {
  if (used.file_digest.empty()) {
    base::Result<Keyring*> opened = keyring();
    if (!opened) return std::move(opened).error();
    return (*opened)->exchange(account_, kind, used.secret, rotated);
  }
  if (rotated_path().empty()) return false;
  base::Done folder = make_private_folder(account_.keyring_dir);
  if (!folder) return std::move(folder).error();
  base::Result<base::Secret> key = load_or_make_key(key_places(account_.keyring_dir, places_));
  if (!key) return std::move(key).error();
  base::Done written = write_sealed(rotated_path(), *key, rotated_words(used.file_digest), rotated);
  if (!written) return std::move(written).error();
  return true;
}

std::int64_t Credentials::changed_s(Kind kind) {
  const std::int64_t rotated = rotated_path().empty() ? 0 : changed_s_of_file(rotated_path());
  if (!file_key(account_, kind).path.empty()) return rotated;
  base::Result<Keyring*> opened = keyring();
  return std::max(rotated, opened ? (*opened)->changed_s(account_, kind) : 0);
}

std::string Credentials::stamp(Kind kind) {
  const FileKey named = file_key(account_, kind);
  if (!named.path.empty()) {
    std::string stamp = "file." + stamp_of_file(named.path);
    if (kind == Kind::refresh_token && !rotated_path().empty()) {
      stamp += stamp_of_file(rotated_path());
    }
    return stamp;
  }
  base::Result<Keyring*> opened = keyring();
  if (!opened) return {};
  std::string stamp = (*opened)->stamp(account_, kind);
  if (account_.keyring == account::Keyring::command && !rotated_path().empty()) {
    stamp += stamp_of_file(rotated_path());
  }
  return stamp;
}

}  // namespace token
