// What a stolen credential could do, in words: rows by scope or role. Source: the vendors' lists of
// permissions; facts (providers) 1.2, 4.1.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "token/sign_in.h"

namespace token {

namespace {

enum class Whose : bool { person, app };

struct Row {
  std::string_view right;  // the end of a scope, or a role
  Whose whose;
  const char* may;  // {user} is filled in
};

// The strongest first: the first one that fits speaks.
constexpr std::array rows = {
    Row{"https://mail.google.com/", Whose::person,
        "read, send and delete for good all mail of {user}"},
    Row{"Mail.ReadWrite", Whose::app,
        "read, change and delete mail in the mailboxes that the app may open: every one of the "
        "tenant, unless Exchange limits it"},
    Row{"Mail.ReadWrite", Whose::person, "read, change and delete the mail of {user}"},
    Row{"Mail.Send", Whose::app,
        "send mail as any mailbox of the tenant, unless Exchange limits the app to some"},
    Row{"Mail.Send.Shared", Whose::person,
        "send mail as {user}, and as the mailboxes that {user} may send for"},
    Row{"SMTP.SendAsApp", Whose::app, "send mail as the mailboxes that Exchange opened to the app"},
    Row{"Mail.Send", Whose::person, "send mail as {user}, but read none"},
    Row{"SMTP.Send", Whose::person, "send mail as {user}, but read none"},
    Row{"mail-w", Whose::person, "read and send the mail of {user}"},
};

bool names(const std::vector<std::string>& words, std::string_view right) {
  return std::any_of(words.begin(), words.end(), [right](const std::string& word) {
    if (base::same_ignoring_case(word, right)) return true;
    return word.size() > right.size() && word[word.size() - right.size() - 1] == '/' &&
           base::same_ignoring_case(std::string_view(word).substr(word.size() - right.size()),
                                    right);
  });
}

}  // namespace

std::string power_of(const account::Account& account, const SignedIn& signed_in) {
  // A service account acts as a person.
  const bool person =
      account.grant == account::Grant::user || account.grant == account::Grant::service_account;
  std::vector<std::string> rights = person ? signed_in.scopes : signed_in.roles;
  rights.insert(rights.end(), signed_in.token_scopes.begin(), signed_in.token_scopes.end());
  if (rights.empty() && person) rights = base::words(account.scope);
  const Whose whose = person ? Whose::person : Whose::app;
  for (const Row& row : rows) {
    if (row.whose != whose || !names(rights, row.right)) continue;
    std::string text = row.may;
    const std::string user = signed_in.user.empty() ? account.user : signed_in.user;
    for (std::size_t at = 0; (at = text.find("{user}", at)) != std::string::npos;) {
      text.replace(at, 6, user);
      at += user.size();
    }
    return text;
  }
  return {};
}

}  // namespace token
