#include <array>

#include "base/replies.h"
#include "base/text.h"

namespace base {

namespace {

constexpr std::size_t said_limit = 400;
constexpr std::size_t name_limit = 128;

// Stages, as bits, so that a row can name several.
enum Stage : unsigned {
  banner = 1,
  ehlo = 2,
  starttls = 4,
  auth = 8,
  mail = 16,
  rcpt = 32,
  data = 64,
  end = 128,
  content = data | end,
  anywhere = 255,
  password = 256,  // at `auth`, of an account that signs in with one
};

// What becomes of the message; the fault says the exit code. A class other than the fault's own is
// named where the facts ask for it: a Send As that is missing is not permitted (77), and waits for
// a person rather than going back to the sender.
enum class Then : std::uint8_t { as_fault, hold };

struct Row {
  int code;            // 535; 4 or 5: any of that class; 0: any refusal
  const char* status;  // "5.7.3"; '?' stands for one digit; "": any, or none
  const char* text;    // a piece of the reply in lower case; "": any
  unsigned stages;
  Fault fault;
  Then then;
  const char* cause;
  const char* cure;
  std::int64_t wait_s;
};

constexpr Fault refused = Fault::bad_recipient;
constexpr Fault bad = Fault::bad_message;
constexpr Fault later = Fault::unavailable;
constexpr Fault sign_in = Fault::sign_in_needed;
constexpr Fault forbidden = Fault::not_permitted;
constexpr Fault setting = Fault::config;
constexpr Fault nonsense = Fault::protocol;
constexpr Then plain = Then::as_fault;
constexpr Then hold = Then::hold;

constexpr const char* again = "try again";
constexpr const char* ask_doctor = "run: mailbearer doctor {account}";
constexpr const char* over_graph = "run: mailbearer login {account} --transport graph";
constexpr const char* set_password = "run: mailbearer secret set {account} password";
constexpr const char* log_in = "run: mailbearer login {account}";
constexpr const char* send_as = "grant Send As, or set rewrite_from = always";
constexpr const char* check_address = "check the address";
constexpr const char* smaller = "send less, or a link";
constexpr const char* ask_provider = "ask the provider's support, then send again";
constexpr const char* check_host = "check smtp_host and smtp_port";

// The first row that fits counts, so the special ones stand above the general ones. Each comment
// names the section of facts/providers.md that a block comes from.
constexpr Row rows[] = {
    // 2.5, 4.1: sign-in.
    {535, "5.7.139", "smtpclientauthentication is disabled", anywhere, sign_in, plain,
     "SMTP sign-in is off for {user}", over_graph, 0},
    {535, "5.7.139", "basic authentication is disabled", anywhere, sign_in, plain,
     "server takes no passwords from {user}",
     "set auth = xoauth2, then run: mailbearer login {account}", 0},
    {535, "5.7.139", "user credentials were incorrect", anywhere, sign_in, plain,
     "server refuses the password of {user}", set_password, 0},
    {535, "5.7.139", "did not meet the criteria", anywhere, sign_in, plain,
     "a sign-in policy of the organization blocks {user}",
     "ask its administrator about Conditional Access", 0},
    {535, "5.7.139", "security defaults", anywhere, sign_in, plain,
     "security defaults of the organization block SMTP for {user}", over_graph, 0},
    {535, "5.7.139", "sts ", anywhere, sign_in, plain,
     "the organization's own sign-in server (ADFS) failed for {user}", "ask its administrator", 0},
    {535, "5.7.139", "", anywhere, sign_in, plain, "server does not let {user} sign in by SMTP",
     over_graph, 0},
    {535, "", "", password, sign_in, plain, "server refuses the password of {user}", set_password,
     0},
    {535, "5.7.3", "", anywhere, sign_in, plain, "server refuses the token for {user}", ask_doctor,
     0},
    {5, "5.7.30", "", anywhere, sign_in, plain, "server takes no passwords from {user}",
     "set auth = xoauth2, then run: mailbearer login {account}", 0},
    {5, "5.7.57", "", anywhere, sign_in, plain, "server wants a sign-in before it takes mail",
     "set auth = xoauth2 and user, then run: mailbearer login {account}", 0},
    {501, "5.5.127", "", anywhere, later, plain, "server wants a token that lasts longer", again,
     0},
    {501, "5.5.124", "", anywhere, setting, plain, "{user} is no account of this server",
     "set user to the account that signs in", 0},
    {534, "5.7.9", "", anywhere, sign_in, plain, "server wants a sign-in by browser for {user}",
     log_in, 0},
    {534, "5.7.14", "", anywhere, sign_in, plain, "server wants a sign-in by browser for {user}",
     log_in, 0},
    {534, "", "", auth, sign_in, plain, "server wants a stronger sign-in than this", log_in, 0},
    {535, "", "\"status\":\"400\"", auth, sign_in, plain,
     "token for {user} was given for another purpose",
     "check scope, then run: mailbearer login {account}", 0},
    {535, "5.7.8", "", anywhere, sign_in, plain, "server refuses the sign-in of {user}", ask_doctor,
     0},
    {535, "", "", anywhere, sign_in, plain, "server refuses the sign-in of {user}", ask_doctor, 0},
    {538, "", "", auth, setting, plain, "server takes this sign-in only inside TLS",
     "set smtp_tls = starttls", 0},
    {530, "", "starttls", anywhere, setting, plain, "server wants STARTTLS first",
     "set smtp_tls = starttls", 0},
    {530, "", "", anywhere, sign_in, plain, "server wants a sign-in before it takes mail",
     "set auth and user, then run: mailbearer login {account}", 0},
    {504, "", "", auth, setting, plain, "server does not know this way of signing in",
     "set auth to one that it offers", 0},
    {432, "4.7.12", "", auth, sign_in, plain, "{user} must sign in another way once",
     "ask the provider, then run: mailbearer login {account}", 0},
    {454, "4.7.0", "too many", auth, later, plain, "server had too many sign-ins of {user}",
     "try again after 10 min", 600},
    {454, "", "", auth, later, plain, "server cannot check the sign-in now", again, 0},
    {421, "4.7.66", "", anywhere, setting, plain, "server wants a newer TLS", "update OpenSSL", 0},

    // 2.6: the provider's limits. 5xx that are temporary all the same come first.
    {432, "4.3.2", "recipient thread", anywhere, later, plain,
     "provider limit: too much at once for {recipient}", "try again after 40 s", 40},
    {432, "4.3.2", "concurrent", anywhere, later, plain,
     "provider limit, 30 messages a minute and 3 connections", "try again after 40 s", 40},
    {432, "4.3.2", "", anywhere, later, plain, "provider limit, 30 messages a minute",
     "try again after 40 s", 40},
    {5, "", "submissionquotaexceeded", anywhere, later, plain,
     "provider limit, 10000 recipients a day", "try again after 1 h", 3600},
    {5, "", "submission quota exceeded", anywhere, later, plain,
     "provider limit, 10000 recipients a day", "try again after 1 h", 3600},
    {5, "5.1.90", "", anywhere, later, plain, "provider limit, 10000 recipients a day",
     "try again after 1 h", 3600},
    {5, "5.2.121", "", anywhere, later, plain, "hourly limit of {recipient} reached",
     "try again after 1 h", 3600},
    {5, "5.2.122", "", anywhere, later, plain, "hourly limit of {recipient} reached",
     "try again after 1 h", 3600},
    {5, "5.7.232", "", anywhere, later, plain, "daily limit of the organization reached",
     "try again after 1 h", 3600},
    {5, "5.7.233", "", anywhere, later, plain, "daily limit of the organization reached",
     "try again after 1 h", 3600},
    {5, "5.4.5", "", anywhere, later, plain, "provider limit, number of messages a day",
     "try again after 1 h", 3600},
    {5, "", "refusequota", anywhere, later, plain, "provider limit, number of messages a day",
     "try again after 24 h", 86400},
    {452, "4.5.3", "", anywhere, later, plain, "too many recipients at once",
     "try again with fewer recipients", 0},
    {4, "4.5.3", "", anywhere, later, plain, "too many recipients at once",
     "try again with fewer recipients", 0},
    {550, "5.5.3", "", anywhere, bad, plain, "too many recipients for one message",
     "send it to fewer recipients", 0},

    // 2.6: the sender.
    {5, "5.7.60", "", anywhere, forbidden, hold, "{user} may not send as {sender}", send_as, 0},
    {5, "5.2.252", "", anywhere, forbidden, hold, "{user} may not send as {sender}", send_as, 0},
    {5, "", "sendasdenied", anywhere, forbidden, hold, "{user} may not send as {sender}", send_as,
     0},
    {5, "", "send as this sender", anywhere, forbidden, hold, "{user} may not send as {sender}",
     send_as, 0},
    {5, "5.1.8", "bad outbound sender", anywhere, forbidden, hold, "provider has restricted {user}",
     "unblock it in Microsoft Defender", 0},
    {5, "", "quotaexceededexception", anywhere, sign_in, plain,
     "mailbox of {user} is full and cannot keep a sent copy", "empty it, or set a retention policy",
     0},
    {5, "", "wascl useraction", anywhere, sign_in, plain, "provider has suspended {user}",
     "sign in at its account page by browser", 0},
    {5, "5.7.501", "", anywhere, forbidden, hold, "provider has blocked this organization",
     ask_provider, 0},
    {5, "5.7.502", "", anywhere, forbidden, hold, "provider has blocked this organization",
     ask_provider, 0},
    {5, "5.7.503", "", anywhere, forbidden, hold, "provider has blocked this organization",
     ask_provider, 0},
    {5, "5.7.705", "", anywhere, forbidden, hold, "provider has blocked this organization",
     ask_provider, 0},
    {5, "5.7.708", "", anywhere, forbidden, hold, "provider takes no mail from this address",
     ask_provider, 0},
    {5, "5.7.750", "", anywhere, forbidden, hold, "provider does not know the domain of {sender}",
     "register it, then send again", 0},
    {5, "5.7.800", "", anywhere, forbidden, hold, "provider has blocked this organization",
     ask_provider, 0},
    {4, "4.7.5??", "", anywhere, later, plain, "provider is suspicious of this organization", again,
     0},
    {4, "4.7.6??", "", anywhere, later, plain, "provider is suspicious of this organization", again,
     0},
    {4, "4.7.8??", "", anywhere, later, plain, "provider is suspicious of this organization", again,
     0},
    {5, "5.7.64", "", anywhere, setting, plain, "no relay connector fits this host",
     "check the connector's address or certificate", 0},
    {4, "4.4.62", "", anywhere, setting, plain, "no relay connector fits this host",
     "check the connector's address or certificate", 0},
    {5, "5.7.68", "", anywhere, setting, plain, "the organization refuses Direct Send",
     "use a connector, or sign in: mailbearer login {account}", 0},
    {5, "5.5.105", "", anywhere, refused, plain,
     "this account may write inside its organization only", "use another account", 0},
    {5, "5.7.506", "", anywhere, setting, plain, "server refuses the name of this host",
     "set helo to the full name of this host", 0},

    // 2.6, 4.1: the content.
    {5, "", "message size exceeds", anywhere, bad, plain, "message is too large for the mailbox",
     smaller, 0},
    {5, "5.3.4", "header size", anywhere, bad, plain, "header is too large for the server",
     "shorten it", 0},
    {5, "5.3.4", "", anywhere, bad, plain, "message is too large for the server", smaller, 0},
    {5, "5.2.3", "", anywhere, bad, plain, "message is too large for the server", smaller, 0},
    {552, "5.7.0", "", anywhere, bad, plain, "server refuses an attachment", "send it another way",
     0},
    {5, "5.6.211", "", anywhere, bad, plain, "a header field is over 32 KB", "shorten it", 0},
    {5, "5.6.0", "", content, bad, plain, "server cannot read the message",
     "check its MIME structure", 0},
    {5, "5.6.11", "", content, bad, plain, "server finds forbidden characters in the message",
     "check its line ends and control characters", 0},
    {5, "5.6.7", "", anywhere, bad, plain, "server takes no UTF-8 addresses",
     "use an ASCII address", 0},
    {5, "5.1.20", "", anywhere, bad, plain, "several From addresses and no Sender",
     "add a Sender field", 0},
    {5, "5.7.512", "", anywhere, bad, plain, "From field is missing or malformed", "correct it", 0},
    {5, "5.7.509", "", anywhere, bad, plain, "DMARC of {sender} forbids this way",
     "set it up for {host}", 0},
    {5, "5.7.23", "", anywhere, bad, plain, "SPF of {sender} forbids this way",
     "set it up for {host}", 0},
    {5, "5.7.515", "", anywhere, bad, plain, "domain of {sender} is not authenticated",
     "set up SPF, DKIM and DMARC", 0},
    {5, "5.7.703", "", anywhere, bad, plain, "a policy of the organization blocks the message",
     "ask its administrator", 0},
    {5, "5.4.6", "", anywhere, bad, plain, "message goes in a circle", "check forwarding rules", 0},
    {5, "5.4.14", "", anywhere, bad, plain, "message goes in a circle", "check forwarding rules",
     0},

    // 2.6: the recipient.
    {5, "5.2.2", "", rcpt, later, plain, "mailbox of {recipient} is full", "try again after 1 h",
     3600},
    {4, "4.2.2", "", anywhere, later, plain, "mailbox of {recipient} is full",
     "try again after 1 h", 3600},
    {5, "5.1.1", "", anywhere, refused, plain, "server does not know {recipient}", check_address,
     0},
    {5, "5.1.10", "", anywhere, refused, plain, "server does not know {recipient}", check_address,
     0},
    {5, "5.1.2", "", rcpt, refused, plain, "domain of {recipient} does not exist", check_address,
     0},
    {5, "5.1.3", "", rcpt, refused, plain, "server cannot read the address {recipient}",
     check_address, 0},
    {5, "5.1.6", "", rcpt, refused, plain, "{recipient} has moved", check_address, 0},
    {5, "5.2.1", "", rcpt, refused, plain, "mailbox of {recipient} is disabled", check_address, 0},
    {5, "5.4.1", "", rcpt, refused, plain, "server does not know {recipient}", check_address, 0},
    {5, "5.7.504", "", anywhere, refused, plain, "server does not know {recipient}", check_address,
     0},
    {5, "5.7.505", "", anywhere, refused, plain, "server does not know {recipient}", check_address,
     0},
    {5, "5.7.12", "", anywhere, refused, plain, "{recipient} takes no mail from this sender",
     "ask its owner", 0},
    {5, "5.7.124", "", anywhere, refused, plain, "{recipient} takes no mail from this sender",
     "ask its owner", 0},
    {5, "5.7.13?", "", anywhere, refused, plain, "{recipient} takes no mail from this sender",
     "ask its owner", 0},
    {5, "5.7.1", "relay", rcpt, refused, plain, "server does not relay to {recipient}",
     "check the address, or sign in: mailbearer login {account}", 0},
    {5, "5.7.1", "", rcpt, refused, plain, "server refuses {recipient}", check_address, 0},
    {5, "5.1.7", "", mail, bad, plain, "server cannot read the sender {sender}", "check -f", 0},

    // The code alone, with its stage.
    {552, "", "", anywhere, bad, plain, "message is too large for the server", smaller, 0},
    {421, "", "", anywhere, later, plain, "server {host} closes for now", again, 0},
    {452, "", "", anywhere, later, plain, "server is out of space", again, 0},
    {4, "", "", banner, later, plain, "server {host} takes no connections now", again, 0},
    {4, "", "", starttls, later, plain, "server {host} has no TLS now", again, 0},
    {4, "", "", auth, later, plain, "server cannot check the sign-in now", again, 0},
    {4, "", "", mail, later, plain, "server takes no mail from {sender} now", again, 0},
    {4, "", "", rcpt, later, plain, "server takes no mail for {recipient} now", again, 0},
    {4, "", "", content, later, plain, "server does not take the message now", again, 0},
    {4, "", "", anywhere, later, plain, "server {host} cannot go on now", again, 0},
    {5, "", "", banner, setting, plain, "server {host} refuses this host", check_host, 0},
    {5, "", "", ehlo, nonsense, plain, "server {host} does not speak ESMTP", check_host, 0},
    {5, "", "", starttls, later, plain, "server {host} refuses TLS",
     "check smtp_port, or set smtp_tls = implicit", 0},
    {5, "", "", auth, sign_in, plain, "server refuses the sign-in of {user}", ask_doctor, 0},
    {501, "", "", mail, bad, plain, "server cannot read the sender {sender}", "check -f", 0},
    {5, "", "", mail, forbidden, plain, "server takes no mail from {sender}",
     "check the sender, or `from`", 0},
    {5, "", "", rcpt, refused, plain, "server refuses {recipient}", check_address, 0},
    {5, "", "", content, bad, plain, "server refuses the message", "correct it, then send again",
     0},
};

struct StageName {
  std::string_view name;
  Stage stage;
};
constexpr std::array<StageName, 8> stage_names = {{
    {"banner", banner},
    {"ehlo", ehlo},
    {"starttls", starttls},
    {"auth", auth},
    {"mail", mail},
    {"rcpt", rcpt},
    {"data", data},
    {"end", end},
}};

unsigned stage_of(std::string_view name) {
  for (const StageName& known : stage_names) {
    if (known.name == name) return known.stage;
  }
  return 0;
}

bool status_fits(std::string_view pattern, std::string_view status) {
  if (pattern.empty()) return true;
  if (pattern.size() != status.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '?' ? !is_digit(status[i]) : pattern[i] != status[i]) return false;
  }
  return true;
}

bool fits(const Row& row, const SmtpReplyFacts& facts, unsigned stage, std::string_view text) {
  if (row.code >= 100 && row.code != facts.code) return false;
  if (row.code > 0 && row.code < 100 && row.code != facts.code / 100) return false;
  if (row.stages != anywhere && (row.stages & stage) == 0) return false;
  return status_fits(row.status, facts.status) && text.find(row.text) != std::string_view::npos;
}

std::string value_of(std::string_view name, const SmtpReplyFacts& facts) {
  std::string_view value;
  if (name == "account") value = facts.account;
  if (name == "user") value = facts.user.empty() ? "this account" : facts.user;
  if (name == "sender") value = facts.sender.empty() ? "this sender" : facts.sender;
  if (name == "host") value = facts.host;
  if (name == "recipient") value = facts.recipient.empty() ? "this recipient" : facts.recipient;
  return clean(value, name_limit);
}

// "{user} may not send as {sender}" with the values in place. Values are never looked at again, so
// that braces in an address stay what they are.
std::string fill_in(std::string_view pattern, const SmtpReplyFacts& facts) {
  std::string out;
  while (!pattern.empty()) {
    const std::size_t open = pattern.find('{');
    const std::size_t close = pattern.find('}', open);
    out += pattern.substr(0, open);
    if (open == std::string_view::npos || close == std::string_view::npos) break;
    out += value_of(pattern.substr(open + 1, close - open - 1), facts);
    pattern.remove_prefix(close + 1);
  }
  return std::string(trim(out));
}

std::string words_of(const SmtpReplyFacts& facts) {
  std::string out = std::to_string(facts.code);
  if (!facts.status.empty()) out += " " + std::string(facts.status);
  if (!facts.text.empty()) out += " " + std::string(facts.text);
  return clean(out, said_limit);
}

Error told(Error error, const SmtpReplyFacts& facts) {
  error.account = std::string(facts.account);
  error.said = words_of(facts);
  error.status = clean(facts.status, 16);
  return error;
}

}  // namespace

Error judge_smtp_reply(const SmtpReplyFacts& facts) {
  unsigned stage = stage_of(facts.stage);
  if (stage == auth && facts.by_password) stage |= password;
  const std::string text = lower(facts.text);
  const bool refusal = facts.code >= 400 && facts.code <= 599;
  for (const Row& row : rows) {
    if (!refusal || !fits(row, facts, stage, text)) continue;
    Error error = failure(row.fault, fill_in(row.cause, facts), fill_in(row.cure, facts));
    if (row.then == Then::hold) error.kind = FaultClass::hold;
    error.retry_after_s = row.wait_s;
    return told(std::move(error), facts);
  }
  // Neither yes nor no, where a yes or a no was due.
  return told(failure(Fault::protocol,
                      "server " + clean(facts.host, name_limit) + " gave a reply that fits nothing",
                      check_host),
              facts);
}

}  // namespace base
