#include "account/keys.h"

#include <algorithm>
#include <array>

namespace account {

namespace {

constexpr unsigned both = in_main | in_account;
constexpr unsigned preset_of_provider = in_account | in_provider;
constexpr unsigned anywhere = in_main | in_account | in_provider;

template <auto field>
void choose_value(Account& account, std::size_t choice) {
  using Field = std::remove_reference_t<decltype(account.*field)>;
  account.*field = static_cast<Field>(choice);
}

void choose_keyring(Account& account, std::size_t choice) {
  account.keyring = static_cast<Keyring>(choice + 1);  // after `unset`
}
void choose_delivery(Account& account, std::size_t choice) {
  account.delivery = static_cast<Delivery>(choice + 1);  // after `unset`
}
void choose_null_sender(Account& account, std::size_t choice) {
  account.null_sender = choice == 0;  // keep
}
void choose_envelope(Account& account, std::size_t choice) {
  account.envelope_rewrite = choice == 1;
}
void choose_temporary_exit(Account& account, std::size_t choice) {
  account.temporary_exit = choice == 1 ? 75 : 0;
}

using A = Account;

// clang-format off
constexpr Key table[] = {
  // [mailbearer] alone
  {"default",                   in_main, Kind::name},
  {"local_mail_to",             in_main, Kind::addresses, "", "", true},
  {"aliases",                   in_main, Kind::path, "/etc/aliases"},
  {"domain",                    in_main, Kind::host},
  {"agent",                     in_main, Kind::choice, "", "none"},
  {"user_profiles",             in_main, Kind::flag, "yes"},
  {"user_rate_messages_per_hour", in_main, Kind::number},
  {"log",                       in_main, Kind::log},
  {"log_addresses",             in_main, Kind::choice, "full", "full|hashed|none"},
  {"rewrite_trace",             in_main, Kind::flag, "no"},
  {"notify_command",            in_main, Kind::command},
  {"notify_via",                in_main, Kind::name},
  {"listen_tcp",                in_main, Kind::listen, "", "", true},
  {"listen_account",            in_main, Kind::name},
  {"listen_allow",              in_main, Kind::words, "", "", true},
  {"listen_auth",               in_main, Kind::choice, "required", "required|none"},
  {"listen_certificate",        in_main, Kind::path},
  {"state_dir",                 in_main, Kind::path},
  {"runtime_dir",               in_main, Kind::path},
  // [account] alone: who may send, and as whom
  {"provider",                  in_account, Kind::name, "smtp", "", false, &A::provider},
  {"user",                      in_account, Kind::address, "", "", false, &A::user},
  {"from",                      in_account, Kind::senders, "", "", true, &A::from},
  {"allow_users",               in_account, Kind::peers, "", "", true, &A::allow_users},
  {"default_for",               in_account, Kind::peers, "", "", true, &A::default_for},
  {"fallback",                  in_account, Kind::name, "", "", false, &A::fallback},
  {"rewrite_from",              both, Kind::choice, "", "auto|always|never", false, choose_value<&A::rewrite_from>},
  // Secrets and how to get tokens
  {"app_certificate",           in_account, Kind::path, "", "", false, &A::app_certificate},
  {"app_key",                   in_account, Kind::path, "", "", false, &A::app_key},
  {"app_assertion",             in_account, Kind::choice, "ps256", "ps256|rs256", false, choose_value<&A::app_assertion>},
  {"client_secret_file",        in_account, Kind::path, "", "", false, &A::client_secret_file},
  {"client_secret_expires",     in_account, Kind::date, "", "", false, &A::client_secret_expires},
  {"refresh_token_file",        in_account, Kind::path, "", "", false, &A::refresh_token_file},
  {"password_file",             in_account, Kind::path, "", "", false, &A::password_file},
  {"federated_token_file",      in_account, Kind::path, "", "", false, &A::federated_token_file},
  {"access_token_command",      in_account, Kind::command, "", "", false, &A::access_token_command},
  {"keyring",                   both, Kind::choice, "file", "secret-service|file|command", false, choose_keyring},
  {"keyring_dir",               both, Kind::path, "", "", false, &A::keyring_dir},
  {"secret_command",            both, Kind::command, "", "", false, &A::secret_command},
  {"refresh_margin",            anywhere, Kind::duration, "5m", "", false, &A::refresh_margin_s},
  {"grant",                     preset_of_provider, Kind::choice, "user", "user|app|managed-identity|federated|service-account", false, choose_value<&A::grant>},
  {"tenant",                    preset_of_provider, Kind::name, "", "", false, &A::tenant},
  {"client_id",                 preset_of_provider, Kind::text, "", "", false, &A::client_id},
  {"cloud",                     preset_of_provider, Kind::choice, "worldwide", "worldwide|usgov|usdod|china", false, &A::cloud},
  {"token_endpoint",            preset_of_provider, Kind::url, "", "", false, &A::token_endpoint},
  {"authorization_endpoint",    preset_of_provider, Kind::url, "", "", false, &A::authorization_endpoint},
  {"device_authorization_endpoint", preset_of_provider, Kind::url, "", "", false, &A::device_authorization_endpoint},
  {"revocation_endpoint",       preset_of_provider, Kind::url, "", "", false, &A::revocation_endpoint},
  {"consent_page",              preset_of_provider, Kind::url, "", "", false, &A::consent_page},
  {"scope",                     preset_of_provider, Kind::text, "", "", false, &A::scope},
  {"resource",                  preset_of_provider, Kind::text, "", "", false, &A::resource},
  {"smtp_scope",                preset_of_provider, Kind::text, "", "", false, &A::smtp_scope},
  {"https_proxy",               both, Kind::proxy, "", "", false, &A::https_proxy},
  // Where and how to send
  {"transport",                 preset_of_provider, Kind::choice, "smtp", "smtp|graph", false, choose_value<&A::transport>},
  {"smtp_host",                 preset_of_provider, Kind::host, "", "", false, &A::smtp_host},
  {"smtp_port",                 preset_of_provider, Kind::port, "", "", false, &A::smtp_port},
  {"smtp_tls",                  preset_of_provider, Kind::choice, "starttls", "starttls|implicit|none", false, choose_value<&A::smtp_tls>},
  {"auth",                      preset_of_provider, Kind::choice, "xoauth2", "xoauth2|oauthbearer|plain|login|none", false, choose_value<&A::auth>},
  {"auth_user",                 preset_of_provider, Kind::text, "", "", false, &A::auth_user},
  {"sasl_ir",                   preset_of_provider, Kind::choice, "auto", "yes|no|auto", false, choose_value<&A::sasl_ir>},
  {"chunking",                  preset_of_provider, Kind::flag, "yes", "", false, &A::chunking},
  {"tls_client_certificate",    preset_of_provider, Kind::path, "", "", false, &A::tls_client_certificate},
  {"ca_file",                   anywhere, Kind::path, "", "", false, &A::ca_file},
  {"helo",                      both, Kind::host, "", "", false, &A::helo},
  {"timeout",                   anywhere, Kind::duration, "30s", "", false, &A::timeout_s},
  {"graph_endpoint",            preset_of_provider, Kind::url, "", "", false, &A::graph_endpoint},
  {"graph_large",               preset_of_provider, Kind::choice, "refuse", "smtp|upload|refuse", false, &A::graph_large},
  {"graph_upload_hosts",        preset_of_provider, Kind::words, "", "", false, &A::graph_upload_hosts},
  {"save_to_sent",              preset_of_provider, Kind::flag, "yes", "", false, &A::save_to_sent},
  {"null_sender",               preset_of_provider, Kind::choice, "keep", "keep|user", false, choose_null_sender},
  {"envelope",                  preset_of_provider, Kind::choice, "strict", "strict|rewrite", false, choose_envelope},
  {"map_message_ids",           preset_of_provider, Kind::flag, "no", "", false, &A::map_message_ids},
  // Limits, pace and patience
  {"max_connections",           preset_of_provider, Kind::number, "", "", false, &A::max_connections},
  {"max_recipients",            preset_of_provider, Kind::number, "", "", false, &A::max_recipients},
  {"one_transaction",           preset_of_provider, Kind::flag, "no", "", false, &A::one_transaction},
  {"max_size",                  preset_of_provider, Kind::size, "", "", false, &A::max_size_bytes},
  {"rate_messages_per_minute",  preset_of_provider, Kind::number, "", "", false, &A::rate_messages_per_minute},
  {"rate_recipients_per_day",   preset_of_provider, Kind::number, "", "", false, &A::rate_recipients_per_day},
  {"rate_share",                both, Kind::share, "1", "", false, &A::rate_share},
  {"pace_wait",                 both, Kind::duration, "120s", "", false, &A::pace_wait_s},
  {"delivery",                  both, Kind::choice, "", "now|queue|now-else-queue", false, choose_delivery},
  {"retry_for",                 both, Kind::duration, "5d"},
  {"hold_for",                  both, Kind::duration, "30d"},
  {"warn_after",                both, Kind::duration, "4h"},
  {"temporary_exit",            both, Kind::choice, "69", "69|75", false, choose_temporary_exit},
  // providers.conf alone
  {"other_names",               in_provider, Kind::words},
  {"based_on",                  in_provider, Kind::name},
  {"domains",                   in_provider, Kind::words, "", "", true},
  {"mx",                        in_provider, Kind::words, "", "", true},
};
// clang-format on

// The rows by name: a delivery looks some hundred keys up.
constexpr auto by_name = [] {
  std::array<std::uint8_t, std::size(table)> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(i);
  std::sort(out.begin(), out.end(),
            [](std::uint8_t a, std::uint8_t b) { return table[a].name < table[b].name; });
  return out;
}();
static_assert(std::size(table) <= UINT8_MAX);

}  // namespace

std::span<const Key> all_keys() {
  return table;
}

const Key* find_key(std::string_view name) {
  const auto* at = std::lower_bound(
      by_name.begin(), by_name.end(), name,
      [](std::uint8_t row, std::string_view wanted) { return table[row].name < wanted; });
  return at != by_name.end() && table[*at].name == name ? &table[*at] : nullptr;
}

std::vector<std::string> key_names(unsigned places) {
  std::vector<std::string> names;
  for (const Key& key : table) {
    if ((key.places & places) != 0) names.emplace_back(key.name);
  }
  return names;
}

}  // namespace account
