#include "token/certificate.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "base/certificate.h"
#include "base/clock.h"
#include "base/file.h"
#include "token/proof.h"

namespace token {

namespace {

constexpr unsigned file_mode = 0640;
constexpr std::size_t longest_name = 64;

base::Error of_account(base::Error error, const account::Account& account) {
  if (error.account.empty()) error.account = account.name;
  return error;
}

std::string hex(std::string_view bytes, std::string_view digits) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

CertificateFacts facts_of(base::CertificateFacts read) {
  CertificateFacts facts;
  facts.subject = std::move(read.subject);
  facts.not_before_s = read.not_before_s;
  facts.not_after_s = read.not_after_s;
  facts.sha1_hex = hex(read.sha1, "0123456789ABCDEF");
  facts.sha256_hex = hex(read.sha256, "0123456789abcdef");
  facts.pem = std::move(read.pem);
  return facts;
}

// Nothing is there, or what is there may go.
base::Done may_write(const CertificateWish& wish) {
  struct stat facts {};
  if (wish.path.empty() || wish.path.front() != '/') {
    return base::failure(base::Fault::config, "the certificate's file is no absolute path",
                         "set app_certificate to an absolute path");
  }
  if (lstat(wish.path.c_str(), &facts) != 0) {
    if (errno == ENOENT) return base::done();
    return base::failure_errno(base::Fault::cannot_create, "cannot look at " + wish.path, errno);
  }
  if (wish.replace && S_ISREG(facts.st_mode)) return base::done();
  return base::failure(base::Fault::cannot_create, wish.path + " is there already",
                       "use another file, or replace it on purpose");
}

}  // namespace

base::Result<CertificateFacts> make_certificate(const CertificateWish& wish) {
  base::Done may = may_write(wish);
  if (!may) return std::move(may).error();
  base::Done judged = base::judge_folder(base::folder_of(wish.path));
  if (!judged) return std::move(judged).error();
  base::Result<base::MadeCertificate> made =
      base::make_certificate(wish.name.substr(0, longest_name), wish.days, base::wall_seconds());
  if (!made) return std::move(made).error();
  base::Secret whole(made->key_pem.reveal());
  whole.append(made->certificate_pem);
  base::Done written = base::replace_file(wish.path, whole.reveal(), file_mode);
  if (!written) return std::move(written).error();
  base::Result<base::CertificateFacts> read = base::read_certificate(made->certificate_pem);
  if (!read) return std::move(read).error();
  return facts_of(std::move(*read));
}

base::Result<CertificateFacts> read_certificate(const account::Account& account) {
  base::Result<base::Secret> file = load_file(account, "app_certificate", account.app_certificate);
  if (!file) return std::move(file).error();
  base::Result<base::CertificateFacts> read = base::read_certificate(file->reveal());
  if (!read) return of_account(std::move(read).error(), account);
  return facts_of(std::move(*read));
}

base::Done check_certificate_key(const account::Account& account, const KeyringPlaces& places) {
  Credentials credentials(account, places);
  base::Result<Proof> proof = load_certificate(account, credentials);
  if (!proof) return std::move(proof).error();
  base::Done fits = base::check_key({proof->main.secret.reveal(), proof->passphrase.reveal()},
                                    proof->certificate.reveal());
  if (!fits) return of_account(std::move(fits).error(), account);
  return base::done();
}

}  // namespace token
