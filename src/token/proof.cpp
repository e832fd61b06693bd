#include "token/proof.h"

#include <utility>

#include "base/certificate.h"
#include "base/text.h"

namespace token {

namespace {

constexpr std::size_t file_limit_bytes = std::size_t{64} * 1024;

base::Error of_account(base::Error error, const account::Account& account) {
  if (error.account.empty()) error.account = account.name;
  return error;
}

// The key of an app or service account; its passphrase is asked for only where there is one.
base::Result<Proof> with_key(const account::Account& account, Credentials& credentials) {
  const std::string& path = key_file_of(account);
  Proof proof;
  base::Result<base::Secret> key =
      load_file(account, account.app_key.empty() ? "app_certificate" : "app_key", path);
  if (!key) return std::move(key).error();
  proof.main.secret = std::move(*key);
  if (!base::is_encrypted_key(proof.main.secret.reveal())) return proof;
  base::Result<Credential> passphrase = credentials.load(Kind::key_passphrase);
  if (!passphrase) return of_account(std::move(passphrase).error(), account);
  proof.passphrase = std::move(passphrase->secret);
  return proof;
}

base::Result<Proof> from_credentials(const account::Account& account, Credentials& credentials,
                                     Kind kind) {
  base::Result<Credential> credential = credentials.load(kind);
  if (!credential) return of_account(std::move(credential).error(), account);
  Proof proof;
  proof.main = std::move(*credential);
  return proof;
}

}  // namespace

const std::string& key_file_of(const account::Account& account) {
  return account.app_key.empty() ? account.app_certificate : account.app_key;
}

base::Result<base::Secret> load_file(const account::Account& account, const char* key,
                                     const std::string& path) {
  const auto failed = [&](base::Error error) {
    if (error.cure.empty()) error.cure = std::string("check ") + key;
    return of_account(std::move(error), account);
  };
  base::Result<base::Fd> file = base::open_trusted(path);
  if (!file) return failed(std::move(file).error());
  base::Result<base::Secret> content = base::read_secret(file->get(), file_limit_bytes, path);
  if (!content) return failed(std::move(content).error());
  if (base::trim(content->reveal()).empty()) {
    return failed(base::failure(base::Fault::config, path + " is empty"));
  }
  return content;
}

base::Result<Proof> load_refresh_token(const account::Account& account, Credentials& credentials) {
  base::Result<Proof> proof = from_credentials(account, credentials, Kind::refresh_token);
  if (!proof) return proof;
  base::Result<std::optional<Credential>> secret = credentials.load_if_any(Kind::client_secret);
  if (!secret) return of_account(std::move(secret).error(), account);
  if (secret->has_value()) proof->client_secret = std::move((*secret)->secret);
  return proof;
}

base::Result<Proof> load_client_secret(const account::Account& account, Credentials& credentials) {
  return from_credentials(account, credentials, Kind::client_secret);
}

base::Result<Proof> load_certificate(const account::Account& account, Credentials& credentials) {
  base::Result<Proof> proof = with_key(account, credentials);
  if (!proof) return proof;
  base::Result<base::Secret> file = load_file(account, "app_certificate", account.app_certificate);
  if (!file) return std::move(file).error();
  proof->certificate = std::move(*file);
  return proof;
}

base::Result<Proof> load_federated(const account::Account& account, Credentials&) {
  base::Result<base::Secret> file =
      load_file(account, "federated_token_file", account.federated_token_file);
  if (!file) return std::move(file).error();
  Proof proof;
  proof.main.secret = base::Secret(base::trim(file->reveal()));
  if (base::has_control(proof.main.secret.reveal())) {
    return of_account(base::failure(base::Fault::config,
                                    account.federated_token_file + " holds more than one line",
                                    "check federated_token_file"),
                      account);
  }
  return proof;
}

base::Result<Proof> load_service_key(const account::Account& account, Credentials& credentials) {
  return with_key(account, credentials);
}

base::Result<Proof> load_nothing(const account::Account&, Credentials&) {
  return Proof{};
}

}  // namespace token
