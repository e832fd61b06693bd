#include "account/import_msmtp_account.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace account {

namespace {

// Commands that no key of ours stands for, and the value with which that makes no difference.
struct Without {
  std::string_view command;
  std::string_view harmless;
  std::string_view why;
};
constexpr std::string_view ciphers = "TLS 1.2 or newer, with the ciphers that OpenSSL chooses";
constexpr Without without[] = {
    {"source_ip", "", "the system chooses the address that connections start from"},
    {"proxy_host", "", "SMTP takes no proxy; https_proxy is for tokens and Graph"},
    {"socket", "", "servers are reached by TCP only"},
    {"protocol", "smtp", "LMTP is not spoken"},
    {"ntlmdomain", "", "NTLM is not spoken"},
    {"tls_crl_file", "", "lists of revoked certificates are not read"},
    {"tls_fingerprint", "",
     "a certificate is believed by its name and issuer; for one of its own, set ca_file to it"},
    {"tls_certcheck", "on", "certificates are always verified"},
    {"tls_priorities", "", ciphers},
    {"tls_min_dh_prime_bits", "", ciphers},
    {"tls_host_override", "", "the certificate must bear the name in smtp_host"},
    {"from_full_name", "", "a missing name comes from -F, else from the user database"},
    {"dsn_notify", "off", "is asked for with each message: sendmail -N"},
    {"dsn_return", "off", "is asked for with each message: sendmail -R"},
    {"set_date_header", "auto", "a missing Date is always added, and one that is there stays"},
    {"set_msgid_header", "auto", "a missing Message-ID is always added"},
    {"remove_bcc_headers", "on", "Bcc never leaves"},
    {"undisclosed_recipients", "off", "To and Cc stay as they are"},
    {"logfile_time_format", "", "the log has a form of its own"},
    {"auto_from", "off", "a sender that the account may not use becomes user: rewrite_from"},
    {"eval", "", "no command is run for the configuration"},
};
// What translate() looks at, and what needs no word.
constexpr std::string_view handled[] = {
    "host",
    "port",
    "tls",
    "tls_starttls",
    "tls_trust_file",
    "tls_key_file",
    "tls_cert_file",
    "auth",
    "user",
    "password",
    "passwordeval",
    "from",
    "timeout",
    "domain",
    "maildomain",
    "aliases",
    "logfile",
    "syslog",
    "set_from_header",
    "allow_from_override",
    "proxy_port",
};

}  // namespace

void MsmtpTranslation::take_rest() {
  for (const Without& each : without) {
    const std::string command(each.command);
    const MsmtpSetting* setting = find(command);
    if (setting == nullptr || setting->value == each.harmless) continue;
    if (setting->value.empty() && each.harmless == "on") continue;
    note(command, each.why);
  }
  for (const auto& entry : in.settings) {
    const std::string& command = entry.first;
    const bool known =
        std::find(std::begin(handled), std::end(handled), command) != std::end(handled) ||
        std::any_of(std::begin(without), std::end(without),
                    [&](const Without& each) { return each.command == command; });
    if (!known) note(base::clean(command, 40), "is not known here");
  }
}

}  // namespace account
