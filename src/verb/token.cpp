// An access token for another program: a person's own, into a pipe.
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "token/obtain.h"
#include "verb/access.h"
#include "verb/call.h"
#include "verb/console.h"

namespace verb {

namespace {

using base::Fault;

// A terminal keeps what it shows, a file stays.
base::Done judge_output() {
  struct stat facts {};
  if (fstat(STDOUT_FILENO, &facts) == 0 && (S_ISFIFO(facts.st_mode) || S_ISSOCK(facts.st_mode))) {
    return base::done();
  }
  return base::failure(Fault::usage, "an access token is given into a pipe only",
                       "use: mailbearer token ACCOUNT | program");
}

}  // namespace

int token_print(const Call& call) {
  const Place place(call.command);
  if (place.paths.profile == account::Profile::system) {
    return complain(base::failure(Fault::not_permitted,
                                  "tokens of the host's accounts are not given away",
                                  "use an account of your own configuration"));
  }
  const base::Done output = judge_output();
  if (!output) return complain(output.error());
  const base::Result<Access> access = access_of(place, call.operand(0));
  if (!access) return complain(access.error());
  const base::Done by_token = wants_token(access->account);
  if (!by_token) return complain(by_token.error());
  // A rotated refresh token must be stored before we may be ended.
  const base::SignalHold unstored;
  token::Source source(access->account, access->places, {place.keyrings().helper});
  base::Result<base::Secret> token = source.get(token::Want::usable);
  if (!token) return complain(token.error());
  base::Secret line = std::move(*token);
  line.append("\n");
  const base::Done written = base::write_all(STDOUT_FILENO, line.reveal(), "standard output");
  return written ? 0 : complain(written.error());
}

}  // namespace verb
