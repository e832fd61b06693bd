#include "account/import_msmtp.h"

#include <algorithm>

#include "account/import_msmtp_account.h"

namespace account {

namespace {

Imported translate(const MsmtpAccount& account, const Providers& providers,
                   const std::string& home) {
  MsmtpTranslation translation{account, providers, home};
  translation.out.section.section = "account " + translation.name();
  translation.find_provider();
  translation.take_sender();
  translation.take_server();
  translation.take_sign_in();
  translation.take_tls_files();
  translation.take_sender_rules();
  translation.take_rest();
  return std::move(translation.out);
}

// `account default : NAME` that adds nothing is our key `default`.
bool is_alias(const MsmtpAccount& account) {
  return account.name == "default" && account.based_on.size() == 1 && account.says_nothing;
}

// What msmtp says per account and we once; the first that says it counts.
void take_main(Imported& main, MsmtpTranslation& translation) {
  const auto once = [&](const std::string& command, const std::string& key,
                        const std::string& value) {
    if (value.empty() || value == "-") return;
    for (const Change& change : main.section.changes) {
      if (change.key != key) continue;
      if (change.value != value) translation.note(command, key + " is one for all accounts");
      return;
    }
    const std::size_t before = translation.out.section.changes.size();
    translation.set(key, value, command);
    if (translation.out.section.changes.size() == before) return;
    main.section.changes.push_back(std::move(translation.out.section.changes.back()));
    translation.out.section.changes.pop_back();
  };
  once("aliases", "aliases", translation.path("aliases"));
  if (translation.find("aliases") != nullptr) {
    translation.note("aliases", "an entry `default:` in it is here: local_mail_to");
  }
  once("logfile", "log", translation.path("logfile"));
  once("maildomain", "domain", translation.value("maildomain"));
  for (std::string& each : translation.out.notes) {
    if (std::find(main.notes.begin(), main.notes.end(), each) == main.notes.end()) {
      main.notes.push_back(std::move(each));
    }
  }
}

}  // namespace

std::vector<Imported> import_msmtp(const std::vector<MsmtpAccount>& accounts,
                                   const Providers& providers, const std::string& home) {
  std::vector<Imported> out(1);
  out[0].section.section = "mailbearer";
  for (const MsmtpAccount& account : accounts) {
    if (account.name != "default") continue;
    MsmtpAccount named;
    named.name = is_alias(account) ? account.based_on[0] : account.name;
    out[0].section.changes.push_back({"default", MsmtpTranslation{named, providers, home}.name()});
  }
  for (const MsmtpAccount& account : accounts) {
    MsmtpTranslation common{account, providers, home};
    take_main(out[0], common);
    if (!is_alias(account)) out.push_back(translate(account, providers, home));
  }
  return out;
}

}  // namespace account
