#include "token/secret_program.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "base/clock.h"
#include "base/program_output.h"
#include "base/text.h"
#include "token/grants.h"

namespace token {

namespace {

constexpr std::int64_t secret_ms = 5000;
// A program that asks a provider needs more than one that opens a store.
constexpr std::int64_t token_slack_ms = 5000;
constexpr std::size_t limit_bytes = std::size_t{64} * 1024;
// Above this a number is a moment, below it a span: 1e9 seconds are 31 years, and 2001.
constexpr std::int64_t moment_from = 1'000'000'000;
constexpr std::int64_t moment_to = 99'999'999'999;

std::string_view line_of(std::string_view text, std::size_t number) {
  for (; number > 0; --number) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

std::string typed(const std::vector<std::string>& argv) {
  std::string out;
  for (const std::string& word : argv) out += (out.empty() ? "" : " ") + base::clean(word, 80);
  return out;
}

base::Error of_account(base::Error error, const account::Account& account,
                       const std::vector<std::string>& argv) {
  error.account = account.name;
  if (error.cure.empty()) error.cure = "see what it says: " + typed(argv);
  return error;
}

base::Result<base::Secret> output_of(const account::Account& account, const std::string& name,
                                     const std::vector<std::string>& argv,
                                     const std::string& wanted, std::int64_t ms) {
  base::Result<base::Secret> printed =
      base::program_output(name, argv, environment_for_program(account, wanted), limit_bytes,
                           base::Deadline::after_ms(ms));
  if (!printed) return of_account(std::move(printed).error(), account, argv);
  const std::string_view first = line_of(printed->reveal(), 0);
  if (first.empty()) {
    return of_account(base::failure(base::Fault::config, name + " printed nothing"), account, argv);
  }
  if (base::has_control(first)) {
    return of_account(base::failure(base::Fault::config, name + " printed a control byte"), account,
                      argv);
  }
  return printed;
}

}  // namespace

std::optional<Kind> signs_in_with(const account::Account& account) {
  const bool by_password =
      account.transport == account::Transport::smtp &&
      (account.auth == account::Auth::plain || account.auth == account::Auth::login);
  if (by_password) return Kind::password;
  if (!account.app_key.empty() || !account.app_certificate.empty()) return Kind::key_passphrase;
  return grant_row(account).credential;
}

std::vector<std::string> environment_for_program(const account::Account& account,
                                                 const std::string& wanted) {
  std::vector<std::string> out = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
                                  "MAILBEARER_ACCOUNT=" + account.name,
                                  "MAILBEARER_SECRET=" + wanted};
  if (const passwd* entry = getpwuid(geteuid()); entry != nullptr) {
    out.push_back(std::string("HOME=") + entry->pw_dir);
    out.push_back(std::string("USER=") + entry->pw_name);
    out.push_back(std::string("LOGNAME=") + entry->pw_name);
    out.push_back(std::string("SHELL=") + entry->pw_shell);
  }
  const std::string runtime = "/run/user/" + std::to_string(geteuid());
  struct stat facts {};
  if (stat(runtime.c_str(), &facts) == 0 && facts.st_uid == geteuid() &&
      (facts.st_mode & 077) == 0) {
    out.push_back("XDG_RUNTIME_DIR=" + runtime);
    out.push_back("DBUS_SESSION_BUS_ADDRESS=unix:path=" + runtime + "/bus");
  }
  return out;
}

base::Result<base::Secret> run_secret_command(const account::Account& account) {
  const std::optional<Kind> kind = signs_in_with(account);
  base::Result<base::Secret> printed = output_of(account, "secret_command", account.secret_command,
                                                 kind ? kind_name(*kind) : "none", secret_ms);
  if (!printed) return printed;
  return base::Secret(line_of(printed->reveal(), 0));
}

base::Result<CommandToken> run_access_token_command(const account::Account& account) {
  base::Result<base::Secret> printed =
      output_of(account, "access_token_command", account.access_token_command, "access-token",
                account.timeout_s * 1000 + token_slack_ms);
  if (!printed) return std::move(printed).error();
  const std::string_view first = line_of(printed->reveal(), 0);
  if (first.find(' ') != std::string_view::npos || !base::is_ascii(first)) {
    return of_account(
        base::failure(base::Fault::config, "access_token_command printed what is no token"),
        account, account.access_token_command);
  }
  CommandToken token{base::Secret(first)};
  std::int64_t number = 0;
  if (base::parse_number(line_of(printed->reveal(), 1), 1, moment_to, number)) {
    token.expires_s = number >= moment_from ? number : base::wall_seconds() + number;
  }
  return token;
}

}  // namespace token
