// import_msmtp: what the accounts of an msmtprc are with us: the settings, what changes, what has
// no counterpart, and what a person has to type next. Pure. Secrets are never carried over: a
// password stays where it is, and the note says how it gets into the keyring.
// Sources: msmtp(1); man/mailbearer.conf.5. A value that our key would not take becomes a note.
#pragma once

#include <string>
#include <vector>

#include "account/edit.h"
#include "account/msmtprc.h"
#include "account/providers.h"

namespace account {

struct Imported {
  SectionEdit section{};
  std::vector<std::string> notes{};  // "tls_certcheck off (line 7): certificates are always ..."
  std::vector<std::string> next{};   // commands to type
};

// [mailbearer] first, then the accounts in their order. `home`: what ~ stands for; may be empty.
std::vector<Imported> import_msmtp(const std::vector<MsmtpAccount>& accounts,
                                   const Providers& providers, const std::string& home);

}  // namespace account
