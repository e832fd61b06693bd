// Which account `login` is about: name, user, provider, and who signs in.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "mail/address.h"
#include "net/mail_exchanger.h"
#include "verb/console.h"
#include "verb/families.h"
#include "verb/login_plan.h"
#include "verb/terminal.h"

namespace verb {

namespace {

using account::Account;
using base::Fault;

constexpr std::size_t name_limit = 40;  // account/configuration

std::string domain_of(const std::string& address) {
  const std::size_t at = address.rfind('@');
  return at == std::string::npos ? std::string() : base::lower(address.substr(at + 1));
}

bool is_address(const std::string& word) {
  const base::Result<mail::Mailbox> mailbox = mail::parse_mailbox(word);
  return mailbox.ok() && mailbox->qualified();
}

// What of a word may stand in an account's name.
std::string as_name(std::string_view word) {
  std::string out;
  for (const char c : word.substr(0, name_limit - 4)) {
    const char low = base::to_lower(c);
    const bool fits = base::is_digit(low) || (low >= 'a' && low <= 'z') || low == '-' || low == '_';
    if (fits && !(out.empty() && low == '-')) out += low;
  }
  return out;
}

const Account* account_of_user(const account::Configuration& configuration,
                               const std::string& address) {
  for (const Account& account : configuration.accounts) {
    if (base::same_ignoring_case(account.user, address)) return &account;
  }
  return nullptr;
}

struct Said {
  std::string name{};
  std::string address{};
};

base::Result<Said> said_by(const Call& call) {
  Said said{call.command.value("--name"), call.command.value("--user")};
  for (const std::string& word : call.command.operands) {
    std::string& into = word.find('@') == std::string::npos ? said.name : said.address;
    if (!into.empty() && into != word) {
      return base::failure(
          Fault::usage,
          "both `" + base::clean(into, 60) + "` and `" + base::clean(word, 60) + "` are given",
          "usage: mailbearer login [ADDRESS|ACCOUNT]");
    }
    into = word;
  }
  if (!said.address.empty() && !is_address(said.address)) {
    return base::failure(Fault::usage, "`" + base::clean(said.address, 80) + "` is no mail address",
                         "give the address of the mailbox");
  }
  return said;
}

base::Result<std::string> ask_address() {
  for (;;) {
    base::Result<std::string> answer =
        ask("Mail address", {}, "the address: mailbearer login ADDRESS");
    if (!answer || is_address(*answer)) return answer;
    tell("That is no mail address.\n");
  }
}

// Nothing was said: the only account there is, else whoever is chosen.
base::Result<Said> choose_one(const Draft& draft) {
  const std::vector<Account>& accounts = draft.before().accounts;
  if (accounts.size() == 1) return Said{accounts.front().name, {}};
  if (accounts.empty()) {
    base::Result<std::string> address = ask_address();
    if (!address) return std::move(address).error();
    return Said{{}, std::move(*address)};
  }
  std::vector<std::string> choices;
  choices.reserve(accounts.size() + 1);
  for (const Account& each : accounts) choices.push_back(each.name + " (" + each.user + ")");
  choices.emplace_back("another account");
  const base::Result<std::size_t> chosen =
      ask_choice("Which account", choices, "its name: mailbearer login ACCOUNT");
  if (!chosen) return chosen.error();
  if (*chosen < accounts.size()) return Said{accounts[*chosen].name, {}};
  base::Result<std::string> address = ask_address();
  if (!address) return std::move(address).error();
  return Said{{}, std::move(*address)};
}

base::Done settle_name(const Call& call, Draft& draft) {
  base::Result<Said> said = said_by(call);
  if (said && said->name.empty() && said->address.empty()) said = choose_one(draft);
  if (!said) return std::move(said).error();
  if (said->name.empty()) {
    const Account* known = account_of_user(draft.before(), said->address);
    said->name = known != nullptr ? known->name : name_for(said->address, draft.before());
  }
  draft.choose(said->name);
  if (!draft.exists() && said->address.empty()) {
    base::Result<std::string> address = ask_address();
    if (!address) return std::move(address).error();
    said->address = std::move(*address);
  }
  // `provider` stands first in a new section; its value follows.
  if (!draft.exists()) draft.unset("provider");
  if (!said->address.empty()) draft.set("user", said->address);
  return base::done();
}

base::Result<std::string> provider_by_mx(const account::Providers& providers,
                                         const std::string& domain) {
  const base::Result<std::vector<std::string>> hosts = net::mail_exchangers(domain);
  if (!hosts) return hosts.error();
  for (const std::string& host : *hosts) {
    std::string provider = providers.provider_of_mx(host);
    if (!provider.empty()) return provider;
  }
  return base::failure(Fault::usage,
                       "the provider of " + domain + " is not known" +
                           (hosts->empty() ? "" : " (its mail goes to " + hosts->front() + ")"),
                       "add --provider NAME");
}

base::Result<std::string> find_provider(const Call& call, const account::Providers& providers,
                                        const std::string& address) {
  const std::string asked = call.command.value("--provider");
  if (!asked.empty()) {
    if (!providers.resolve(asked).empty()) return asked;
    const std::string near = base::nearest(asked, providers.names());
    return base::failure(
        Fault::usage, "unknown provider `" + base::clean(asked, 60) + "`",
        near.empty() ? "use one of providers.conf, or smtp" : "did you mean " + near + "?");
  }
  const std::string domain = domain_of(address);
  std::string provider = providers.provider_of_domain(domain);
  if (!provider.empty()) return provider;
  base::Result<std::string> by_mx = provider_by_mx(providers, domain);
  if (by_mx || !person_is_there()) return by_mx;
  tell(by_mx.error().cause + ".\n");
  const std::vector<std::string> names = {
      "microsoft", "microsoft-personal", "google", "fastmail", "yahoo", "zoho", "smtp"};
  const base::Result<std::size_t> chosen =
      ask_choice("Whose mail service is it",
                 {"Microsoft 365 (work or school)", "Outlook.com, Hotmail (personal)",
                  "Google: Gmail, Workspace", "Fastmail", "Yahoo", "Zoho", "another (set by hand)"},
                 "--provider NAME");
  if (!chosen) return chosen.error();
  return names[*chosen];
}

base::Done settle_provider(const Call& call, const Place& place, Draft& draft) {
  if (draft.exists() && !call.command.has("--provider")) return base::done();
  const base::Result<account::Providers> providers =
      account::Providers::load(place.paths.providers_file, place.paths.site_providers_file);
  if (!providers) return providers.error();
  const base::Result<Account> account = draft.account();
  if (!account) return account.error();
  const base::Result<std::string> provider = find_provider(call, *providers, account->user);
  if (!provider) return provider.error();
  draft.set("provider", *provider);
  return base::done();
}

// Of a new account, which can sign in in more than one way.
base::Done ask_grant(const Place& place, Draft& draft) {
  const base::Result<Account> account = draft.account();
  if (!account) return account.error();
  const bool system = place.paths.profile == account::Profile::system;
  if (draft.exists() || !person_is_there()) return base::done();
  if (family_of(*account) == Family::google && account->client_id.empty()) {
    const base::Result<std::size_t> chosen = ask_choice(
        "How to sign in to Google",
        {"with an app password (simple; needs two-step verification, may do all with the mailbox)",
         "with a desktop application of your own, registered with Google"},
        "--app-password, or --client-id ID");
    if (!chosen) return chosen.error();
    if (*chosen == 0) draft.set("auth", "plain");
  } else if (system && family_of(*account) == Family::microsoft &&
             account->provider != "microsoft-personal" && account->auth != account::Auth::none) {
    const base::Result<std::size_t> chosen =
        ask_choice("Who signs in",
                   {"the host, as an application (nobody has to sign in again)",
                    "a person, once, in a browser"},
                   "--app, or --grant user");
    if (!chosen) return chosen.error();
    if (*chosen == 0) draft.set("grant", "app");
  }
  return base::done();
}

base::Done settle_grant(const Call& call, const Place& place, Draft& draft) {
  const cli::Command& command = call.command;
  if (command.has("--app-password")) draft.set("auth", "plain");
  if (command.has("--app") || command.has("--certificate")) draft.set("grant", "app");
  if (command.has("--grant")) draft.set("grant", command.value("--grant"));
  if (draft.says("grant") || draft.says("auth")) return base::done();
  return ask_grant(place, draft);
}

}  // namespace

std::string name_for(const std::string& address, const account::Configuration& configuration) {
  const auto taken = [&](const std::string& name) {
    return std::any_of(configuration.accounts.begin(), configuration.accounts.end(),
                       [&](const Account& each) { return each.name == name; });
  };
  const std::string domain = domain_of(address);
  std::string name = as_name(domain.substr(0, domain.find('.')));
  if (name.empty()) name = "account";
  if (!taken(name)) return name;
  std::string longer = as_name(as_name(address.substr(0, address.rfind('@'))) + "-" + name);
  if (!taken(longer)) return longer;
  for (int i = 2;; ++i) {
    std::string numbered = name + std::to_string(i);
    if (!taken(numbered)) return numbered;
  }
}

base::Done settle_account(const Call& call, const Place& place, Draft& draft) {
  base::Done named = settle_name(call, draft);
  if (named) named = settle_provider(call, place, draft);
  if (named) named = settle_grant(call, place, draft);
  return named;
}

}  // namespace verb
