#include "account/import_msmtp_account.h"

#include <algorithm>

#include "account/keys.h"
#include "base/text.h"

namespace account {

const MsmtpSetting* MsmtpTranslation::find(const std::string& command) const {
  const auto found = in.settings.find(command);
  return found == in.settings.end() ? nullptr : &found->second;
}

std::string MsmtpTranslation::value(const std::string& command,
                                    const std::string& otherwise) const {
  const MsmtpSetting* setting = find(command);
  return setting == nullptr ? otherwise : setting->value;
}

bool MsmtpTranslation::on(const std::string& command, bool otherwise) const {
  const MsmtpSetting* setting = find(command);
  return setting == nullptr ? otherwise : setting->value.empty() || setting->value == "on";
}

std::string MsmtpTranslation::path(const std::string& command) const {
  std::string path = value(command);
  if (path.starts_with("~/") && !home.empty()) path = home + path.substr(1);
  return path;
}

std::string MsmtpTranslation::preset(std::string_view key) const {
  for (const Setting& each : presets) {
    if (each.key == key) return each.value;
  }
  return {};
}

std::string MsmtpTranslation::name() const {
  std::string plain_name;
  for (const char c : in.name.substr(0, 40)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || base::is_digit(c) ||
                       c == '.' || c == '_' || c == '-';
    plain_name += plain ? c : '-';
  }
  return plain_name;
}

void MsmtpTranslation::note(const std::string& command, std::string_view text) {
  const MsmtpSetting* setting = find(command);
  const std::string line =
      setting == nullptr ? "" : " (line " + std::to_string(setting->line) + ")";
  out.notes.push_back(command + line + ": " + std::string(text));
}

void MsmtpTranslation::set(const std::string& key, const std::string& value,
                           const std::string& command) {
  if (value.empty() || preset(key) == value) return;
  const std::string trouble = complaint(*find_key(key), value);
  if (!trouble.empty()) {
    note(command, "not taken over: " + base::clean(value, 80) + " " + trouble);
    return;
  }
  out.section.changes.push_back({key, value});
}

namespace {

constexpr std::string_view clouds[] = {"worldwide", "usgov", "usdod", "china"};

}  // namespace

// The provider whose SMTP host it is; else, where OAuth is asked for, the one of the address.
void MsmtpTranslation::find_provider() {
  const std::string host = base::lower(value("host"));
  for (const std::string& name : providers.names()) {
    if (providers.resolve(name) != name || provider != "smtp") continue;
    for (const std::string_view cloud : clouds) {
      const std::vector<Setting> found =
          providers.presets(name, {std::string(cloud), "smtp", "user"});
      const auto at = std::find_if(found.begin(), found.end(),
                                   [](const Setting& each) { return each.key == "smtp_host"; });
      if (host.empty() || at == found.end() || at->value != host) continue;
      provider = name;
      presets = found;
      if (cloud != clouds[0]) out.section.changes.push_back({"cloud", std::string(cloud)});
      break;
    }
  }
  const std::string user = value("user");
  const bool oauth = value("auth") == "xoauth2" || value("auth") == "oauthbearer";
  if (provider == "smtp" && oauth && user.find('@') != std::string::npos) {
    const std::string by_domain = providers.provider_of_domain(user.substr(user.rfind('@') + 1));
    if (!by_domain.empty()) {
      provider = by_domain;
      presets = providers.presets(provider, {"worldwide", "smtp", "user"});
    }
  }
  out.section.changes.insert(out.section.changes.begin(), {"provider", provider});
}

void MsmtpTranslation::take_server() {
  if (find("host") == nullptr) note("host", "is missing: the account cannot send");
  set("smtp_host", base::lower(value("host")), "host");
  const bool tls = on("tls", false);
  const bool implicit = tls && !on("tls_starttls", true);
  const bool none = !tls && value("auth", "off") == "off";
  if (!tls && !none) {
    note("tls", "was off; credentials are sent over TLS only, so STARTTLS is asked for");
  }
  set("smtp_port", value("port", implicit ? "465" : "25"), "port");
  set("smtp_tls", implicit ? "implicit" : none ? "none" : "starttls", "tls");
  const std::string timeout = value("timeout", "off");
  if (timeout != "off") set("timeout", timeout + "s", "timeout");
  if (value("domain", "localhost") != "localhost") set("helo", value("domain"), "domain");
}

void MsmtpTranslation::take_tls_files() {
  const std::string trust = path("tls_trust_file");
  if (trust != "system" && trust != "/etc/ssl/certs/ca-certificates.crt") {
    set("ca_file", trust, "tls_trust_file");
  }
  const std::string certificate = path("tls_cert_file");
  if (certificate.empty()) return;
  set("tls_client_certificate", certificate, "tls_cert_file");
  if (path("tls_key_file") != certificate) {
    note("tls_key_file", "key and certificate have to stand in one file");
  }
}

}  // namespace account
