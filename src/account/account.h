// account: one [account NAME] section, merged over its provider's preset and checked whole. A plain
// value. Source: design section 3; man/mailbearer.conf.5. Durations in seconds, sizes in bytes, 0
// or empty: not set.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "mail/rewrite.h"

namespace account {

enum class Transport : std::uint8_t { smtp, graph };
enum class Grant : std::uint8_t { user, app, managed_identity, federated, service_account };
enum class SmtpTls : std::uint8_t { starttls, implicit, none };
enum class Auth : std::uint8_t { xoauth2, oauthbearer, plain, login, none };
enum class SaslIr : std::uint8_t { yes, no, automatic };  // automatic: only under 512 octets
enum class Keyring : std::uint8_t { unset, secret_service, file, command };
enum class AppAssertion : std::uint8_t { ps256, rs256 };  // with x5t#S256, with x5t
enum class Delivery : std::uint8_t { unset, now, queue, now_else_queue };

// One value in force and where it comes from: "FILE:LINE", "FILE:LINE (provider microsoft)" or
// "default". `value` is as written, so that `config show` prints what could be typed.
struct Setting {
  std::string key{};
  std::string value{};
  std::string source{};
};

struct Account {
  std::string name{};
  std::string where{};              // "FILE:LINE" of the section
  std::string allow_users_where{};  // "FILE:LINE" of allow_users
  std::optional<base::Error>
      broken{};  // a faulty section disables itself only; choosing it gives this

  std::string provider{};
  Transport transport = Transport::smtp;
  std::string user{};  // the mailbox: sender and, unless auth_user says otherwise, who signs in
  std::string auth_user{};  // the name given to AUTH; always filled: auth_user, else user
  std::vector<std::string> from{};
  mail::SenderRules::RewriteFrom rewrite_from = mail::SenderRules::RewriteFrom::never;
  Grant grant = Grant::user;
  std::vector<std::string> allow_users{};  // empty: everyone
  std::vector<std::string> default_for{};

  // Tokens.
  std::string tenant{};
  std::string client_id{};
  std::string app_certificate{};
  std::string app_key{};
  AppAssertion app_assertion = AppAssertion::ps256;
  std::string client_secret_file{};
  std::string refresh_token_file{};
  std::string password_file{};
  std::string federated_token_file{};
  std::string token_endpoint{};
  std::string authorization_endpoint{};
  std::string device_authorization_endpoint{};
  std::string revocation_endpoint{};
  std::string consent_page{};  // where a person withdraws an application's permission
  std::string scope{};
  std::string resource{};
  // Of transport = graph, for what goes by SMTP all the same: a token names one service.
  std::string smtp_scope{};
  std::string smtp_resource{};
  std::int64_t refresh_margin_s = 300;
  Keyring keyring = Keyring::unset;
  std::string keyring_dir{};
  std::vector<std::string> secret_command{};
  std::vector<std::string> access_token_command{};
  std::string https_proxy{};

  // SMTP.
  std::string smtp_host{};
  std::uint16_t smtp_port = 0;
  SmtpTls smtp_tls = SmtpTls::starttls;
  Auth auth = Auth::xoauth2;
  SaslIr sasl_ir = SaslIr::automatic;
  bool chunking = true;
  std::string tls_client_certificate{};
  std::string ca_file{};
  std::string helo{};
  std::int64_t timeout_s = 30;
  std::int64_t max_connections = 0;
  std::int64_t max_recipients = 0;
  bool one_transaction = false;  // the provider delivers a message twice when its envelope is split
  std::int64_t max_size_bytes = 0;

  // Graph and the rest, kept for their rooms.
  std::string cloud{};
  std::string graph_endpoint{};
  bool null_sender = true;
  bool envelope_rewrite = false;
  std::string graph_large{};
  std::vector<std::string> graph_upload_hosts{};
  bool map_message_ids = false;
  bool save_to_sent = true;
  std::int64_t rate_messages_per_minute = 0;
  std::int64_t rate_recipients_per_day = 0;
  double rate_share = 1.0;
  std::string fallback{};
  Delivery delivery = Delivery::unset;
  std::int64_t pace_wait_s = 120;
  std::int64_t temporary_exit = 0;  // 75, or 0
  std::string client_secret_expires{};

  std::vector<Setting> settings{};  // every key in force, in the order of the key table
};

// The words a credential of this account is bound to (AAD, keyring attributes): account, user,
// client id, tenant, token endpoint. Source: design section 5. Each word is written with its
// length, so that no two accounts yield the same text. The form never changes: what is stored
// depends on it.
std::string binding(const Account& account);

// XOAUTH2 and OAUTHBEARER; the others need a password or nothing.
bool auth_by_token(const Account& account);

// transport = graph: whether large messages can go by the account's own SMTP settings, and the
// account as it is then: the same mailbox and credential, a token for SMTP.
bool has_own_smtp(const Account& account);
Account as_smtp(const Account& account);

}  // namespace account
