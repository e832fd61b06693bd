// import_msmtp_account: one account of an msmtprc on its way to ours. Internal to import_msmtp.
// Owns nothing of what it looks at. Errors: none; what does not fit becomes a note.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "account/import_msmtp.h"

namespace account {

struct MsmtpTranslation {
  const MsmtpAccount& in;
  const Providers& providers;
  const std::string& home;
  Imported out{};
  std::string provider = "smtp";
  std::vector<Setting> presets{};

  const MsmtpSetting* find(const std::string& command) const;
  std::string value(const std::string& command, const std::string& otherwise = {}) const;
  bool on(const std::string& command, bool otherwise) const;  // a switch without an argument is on
  std::string path(const std::string& command) const;
  std::string preset(std::string_view key) const;
  std::string name() const;  // of the account, as ours

  void note(const std::string& command, std::string_view text);
  // Nothing is written that the provider presets, and nothing that the key would not take.
  void set(const std::string& key, const std::string& value, const std::string& command);

  void find_provider();
  void take_server();
  void take_tls_files();
  void take_sender();
  void take_sign_in();
  void take_password_sign_in(const std::string& method);
  void take_sender_rules();
  void take_rest();
};

}  // namespace account
