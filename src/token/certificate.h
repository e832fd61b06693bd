// certificate: an app's key and certificate: made (`mailbearer certificate`), read for its ends and
// thumbprints (`status`, `login`). Source: facts (providers) 1.5; RFC 7515 4.1.7, 4.1.8. The PEM
// file holds key and certificate, as app_certificate reads it; mode 0640, for the caller gives it
// its group. Errors: Fault::config (not judged sound, no certificate in it, key of another one),
// Fault::cannot_create, Fault::io.
#pragma once

#include <cstdint>
#include <string>

#include "account/account.h"
#include "base/result.h"
#include "token/keyring.h"

namespace token {

struct CertificateFacts {
  std::string subject{};
  std::int64_t not_before_s = 0;
  std::int64_t not_after_s = 0;
  std::string sha1_hex{};    // "thumbprint" in Microsoft's portal; upper case
  std::string sha256_hex{};  // lower case
  std::string pem{};         // the certificate alone: what is uploaded
};

struct CertificateWish {
  std::string path{};
  std::string name{};  // common name; the account's name does
  std::int64_t days = 730;
  bool replace = false;  // else an existing file is an error: its key may be in use
};
// RSA 3072, self-signed, SHA-256. Written whole and synced (file::replace_file), 0640 and ours.
base::Result<CertificateFacts> make_certificate(const CertificateWish& wish);

// Of app_certificate; the key is not touched.
base::Result<CertificateFacts> read_certificate(const account::Account& account);
// That the account can sign with it: the key (app_key, else in app_certificate) can be opened, with
// the passphrase from the keyring if it has one, and belongs to the certificate.
base::Done check_certificate_key(const account::Account& account, const KeyringPlaces& places);

}  // namespace token
