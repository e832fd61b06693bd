// certificate: the key and self-signed certificate of an app-only account, and what to do with it.
#include "token/certificate.h"

#include <grp.h>
#include <unistd.h>

#include <utility>

#include "base/clock.h"
#include "base/crypto_library.h"
#include "base/file.h"
#include "base/text.h"
#include "verb/call.h"
#include "verb/console.h"
#include "verb/draft.h"
#include "verb/place.h"

namespace verb {

namespace {

using base::Fault;

base::Result<token::CertificateWish> wish_of(const Call& call, const Draft& draft,
                                             const Place& place) {
  token::CertificateWish wish;
  wish.name = draft.name();
  wish.replace = call.command.has("--replace");
  if (draft.exists()) {
    const base::Result<account::Account> account = draft.account();
    if (!account) return account.error();
    wish.path = account->app_certificate;
  }
  if (wish.path.empty()) {
    wish.path = base::folder_of(place.paths.main_file) + "/" + draft.name() + ".pem";
  }
  const std::string days = call.command.value("--days");
  if (!days.empty() && !base::parse_number(days, 1, 3650, wish.days)) {
    return base::failure(Fault::usage, "--days takes a number from 1 to 3650");
  }
  return wish;
}

// The agent of the host reads the key by its group.
base::Done give_to_agent(const std::string& path) {
  const group* agent = getgrnam("mailbearer");
  if (agent == nullptr || chown(path.c_str(), static_cast<uid_t>(-1), agent->gr_gid) == 0) {
    return base::done();
  }
  return base::failure_errno(Fault::cannot_create, "cannot give " + path + " to group mailbearer",
                             errno);
}

std::string text_for(const token::CertificateFacts& facts, const std::string& path,
                     const std::string& name) {
  return facts.pem + "\nKey and certificate: " + path +
         " (keep it; do not upload it)\nThumbprint: " + facts.sha1_hex +
         "\nEnds: " + base::rfc5322_date(facts.not_after_s) +
         "\n\nUpload the certificate above, from BEGIN to END, as a .pem file: "
         "https://entra.microsoft.com,\n"
         "App registrations, your application, Certificates & secrets, Certificates.\nThen run:\n\n"
         "  mailbearer login " +
         name + " --certificate " + path + "\n";
}

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= 40 && name[0] != '.' && name[0] != '-' &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
             std::string::npos;
}

}  // namespace

int certificate(const Call& call) {
  const Place place(call.command);
  if (!is_name(call.operand(0))) {
    return complain(base::failure(
        Fault::usage, "`" + base::clean(call.operand(0), 60) + "` is no name for an account"));
  }
  base::start_crypto(base::Crypto::whole);
  base::Result<Draft> draft = Draft::begin(place);
  if (!draft) return complain(draft.error());
  draft->choose(call.operand(0));
  const base::Result<token::CertificateWish> wish = wish_of(call, *draft, place);
  if (!wish) return complain(wish.error());
  const bool system = place.paths.profile == account::Profile::system;
  const base::Done made = base::make_folders(base::folder_of(wish->path), system ? 0755 : 0700);
  if (!made) return complain(made.error());
  const base::Result<token::CertificateFacts> facts = token::make_certificate(*wish);
  if (!facts) return complain(facts.error());
  const base::Done given = system ? give_to_agent(wish->path) : base::done();
  if (!given) return complain(given.error());
  return say(text_for(*facts, wish->path, draft->name()));
}

}  // namespace verb
