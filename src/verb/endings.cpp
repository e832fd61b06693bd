#include "verb/endings.h"

#include <algorithm>

#include "base/clock.h"
#include "token/certificate.h"

namespace verb {

namespace {

std::int64_t certificate_ends_s(const account::Account& account) {
  if (account.app_certificate.empty()) return 0;
  const base::Result<token::CertificateFacts> facts = token::read_certificate(account);
  return facts ? facts->not_after_s : 0;
}

}  // namespace

std::vector<account::Ending> endings_of(const account::Account& account) {
  return account::endings(account, certificate_ends_s(account), base::wall_seconds());
}

std::string told_endings(const std::vector<account::Account>& accounts, int& worst) {
  std::string out;
  for (const account::Account& account : accounts) {
    for (const account::Ending& ending : endings_of(account)) {
      if (ending.step == 0) continue;
      worst = std::max(worst, ending.step < 0 ? 2 : 1);
      out += "account " + account.name + ": " + ending.text +
             (ending.cure.empty() ? "" : "; " + ending.cure) + "\n";
    }
  }
  return out;
}

}  // namespace verb
