// msmtprc: the configuration file of msmtp, read as msmtp reads it: one command a line, `defaults`
// for the accounts behind it, `account NAME : OTHER, OTHER` with what others say. Nothing of it is
// judged here: account/import_msmtp says what it means for us.
// Source: msmtp(1), "Configuration files"; what version 1.8.23 prints with --pretend.
// Limits: those of the text given. Errors: Fault::config naming file and line. Trusts: nothing;
// control bytes are refused. A `password` is in here: do not print values.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace account {

struct MsmtpSetting {
  std::string value{};
  int line = 0;
};

struct MsmtpAccount {
  std::string name{};
  int line = 0;
  std::map<std::string, MsmtpSetting> settings{};  // by command; defaults and others' filled in
  std::vector<std::string> based_on{};
  bool says_nothing = true;  // itself, beyond what it is based on
};

base::Result<std::vector<MsmtpAccount>> parse_msmtprc(std::string_view text,
                                                      const std::string& path);

}  // namespace account
