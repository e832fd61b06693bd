#include "account/import_msmtp_account.h"

#include "account/keys.h"
#include "base/text.h"

namespace account {

namespace {

// Letters of an address as well; in a `from` of msmtp they are patterns, user and host.
bool has_pattern(const std::string& text) {
  return text.find_first_of("*?[") != std::string::npos || text.find("%U") != std::string::npos ||
         text.find("%H") != std::string::npos;
}

bool is_address(const std::string& text) {
  return !has_pattern(text) && complaint(*find_key("user"), text).empty();
}

}  // namespace

void MsmtpTranslation::take_sender() {
  const std::string from = value("from");
  const std::string login = value("user");
  if (!is_address(from) && !is_address(login)) {
    note("from", "no address of the account is told: set user");
    return;
  }
  const std::string& address = is_address(from) ? from : login;
  set("user", address, is_address(from) ? "from" : "user");
  if (!from.empty() && from != address) {
    if (from.find_first_of("?[%") != std::string::npos) {
      note("from", "a pattern is *@DOMAIN or * here; others: list the addresses in `from`");
    } else {
      set("from", address + " " + from, "from");
    }
  }
  if (value("auth", "off") != "off" && !login.empty() && login != address) {
    set("auth_user", login, "user");
  }
}

void MsmtpTranslation::take_password_sign_in(const std::string& method) {
  if (provider.starts_with("microsoft")) {
    note("auth", "Microsoft takes no passwords any more: the account signs in with OAuth 2.0");
    out.next.push_back("mailbearer login " + name());
    return;
  }
  set("auth", method == "login" ? "login" : "plain", "auth");
  if (method != "on" && !method.empty() && method != "plain" && method != "login") {
    note("auth", base::clean(method, 30) + " is not spoken: PLAIN over TLS instead");
  }
  if (find("passwordeval") != nullptr) {
    note("passwordeval", "no command is run; what it prints goes into the keyring once");
    out.next.push_back("THAT COMMAND | mailbearer secret set " + name() + " password");
  } else {
    if (find("password") != nullptr) note("password", "is not copied: it goes into the keyring");
    out.next.push_back("mailbearer secret set " + name() + " password");
  }
  if (provider == "google") {
    out.notes.emplace_back("google: an app password works still; mailbearer login " + name() +
                           " signs in with OAuth 2.0 instead");
  }
}

void MsmtpTranslation::take_sign_in() {
  const MsmtpSetting* setting = find("auth");
  const std::string method = setting == nullptr ? "off" : setting->value;
  if (method == "xoauth2" || method == "oauthbearer") {
    set("auth", method, "auth");
    if (find("passwordeval") != nullptr || find("password") != nullptr) {
      note(find("passwordeval") != nullptr ? "passwordeval" : "password",
           "no token comes from outside: Mailbearer obtains and renews it");
    }
    if (provider == "smtp") {
      note("auth", "set client_id, token_endpoint and scope as the provider tells");
    }
    out.next.push_back("mailbearer login " + name());
  } else if (method == "off" || method == "external") {
    set("auth", "none", "auth");
    if (method == "external") note("auth", "the certificate signs in during TLS, without AUTH");
  } else if (method == "gssapi" || method == "ntlm") {
    note("auth", base::clean(method, 30) + " is not spoken");
  } else {
    take_password_sign_in(method);
  }
}

void MsmtpTranslation::take_sender_rules() {
  if (on("set_from_header", false)) {
    set("rewrite_from", "always", "set_from_header");
  } else if (value("set_from_header") == "off") {
    note("set_from_header", "a missing From is always added");
  }
  if (!on("allow_from_override", true)) {
    note("allow_from_override", "-f counts where `from` has the address; else it becomes user");
  }
}

}  // namespace account
