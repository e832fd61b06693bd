// proof: what an account proves itself with at a token endpoint, loaded anew for each request:
// refresh token, secret, key and certificate, or the token of another issuer. Source: design
// sections 3 and 5. Files are judged as every secret file (base::open_trusted). Errors:
// Fault::config, Fault::sign_in_needed (none stored), those of the keyring; all name the account.
#pragma once

#include <string>

#include "account/account.h"
#include "base/result.h"
#include "base/secret.h"
#include "token/credential.h"

namespace token {

struct Proof {
  Credential main{};             // what may rotate; empty where the machine itself is the proof
  base::Secret client_secret{};  // that goes along with a refresh token
  base::Secret certificate{};
  base::Secret passphrase{};  // of an encrypted key
};

base::Result<Proof> load_refresh_token(const account::Account& account, Credentials& credentials);
base::Result<Proof> load_client_secret(const account::Account& account, Credentials& credentials);
base::Result<Proof> load_certificate(const account::Account& account, Credentials& credentials);
base::Result<Proof> load_federated(const account::Account& account, Credentials& credentials);
base::Result<Proof> load_service_key(const account::Account& account, Credentials& credentials);
base::Result<Proof> load_nothing(const account::Account& account, Credentials& credentials);

// A file that must hold something, as it is: `key` is the configuration's name for it.
base::Result<base::Secret> load_file(const account::Account& account, const char* key,
                                     const std::string& path);
// app_key, else app_certificate: where the private key of an app is.
const std::string& key_file_of(const account::Account& account);

}  // namespace token
