// test: a message through the real path, to the account itself or whom --to names.
#include <utility>

#include "account/choose.h"
#include "verb/call.h"
#include "verb/console.h"
#include "verb/place.h"
#include "verb/test_message.h"

namespace verb {

namespace {

// The account that is named; else the default, else the only one.
base::Result<account::Account> chosen(const Place& place, const std::string& name) {
  base::Result<account::Configuration> loaded = account::load_configuration(place.paths);
  if (!loaded) return std::move(loaded).error();
  std::string wanted = name.empty() ? loaded->default_account : name;
  if (wanted.empty() && loaded->accounts.size() == 1) wanted = loaded->accounts.front().name;
  if (wanted.empty()) {
    return base::failure(base::Fault::usage, "no account is named, and none is the default",
                         "run: mailbearer test ACCOUNT");
  }
  const base::Result<const account::Account*> found = account::find_account(*loaded, wanted);
  if (!found) return found.error();
  if ((*found)->broken) return *(*found)->broken;
  return **found;
}

}  // namespace

int test(const Call& call) {
  const Place place(call.command);
  const base::Result<account::Account> account = chosen(place, call.operand(0));
  if (!account) return complain(account.error());
  const std::string asked = call.command.value("--to");
  const std::string to = asked.empty() ? account->user : asked;
  const base::Result<std::string> id = send_test_message(place, *account, to);
  if (!id) return complain(id.error());
  return say("Delivered: test message accepted as <" + *id + ">\n");
}

}  // namespace verb
