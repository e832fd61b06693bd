// mailbearer: the person's command. Each verb is a function of the room `verb`. Holds a secret only
// while it is on its way into the keyring; prints none but the access token of `token`.
#include "base/process.h"
#include "cli/command.h"
#include "verb/call.h"
#include "verb/console.h"

namespace {

int version(const verb::Call& /*call*/) {
  return verb::say("mailbearer " MAILBEARER_VERSION "\n");
}

struct Row {
  cli::Verb verb;
  int (*run)(const verb::Call& call);
};
constexpr Row table[] = {
    {cli::Verb::help, verb::help},
    {cli::Verb::version, version},
    {cli::Verb::config_check, verb::config_check},
    {cli::Verb::config_show, verb::config_show},
    {cli::Verb::secret_set, verb::secret_set},
    {cli::Verb::secret_status, verb::secret_status},
    {cli::Verb::secret_clear, verb::secret_clear},
    {cli::Verb::keyring_status, verb::keyring_status},
    {cli::Verb::keyring_migrate, verb::keyring_migrate},
    {cli::Verb::logout, verb::logout},
    {cli::Verb::token, verb::token_print},
    {cli::Verb::refresh, verb::refresh},
    {cli::Verb::explain, verb::explain},
    {cli::Verb::login, verb::login},
    {cli::Verb::accounts, verb::accounts},
    {cli::Verb::status, verb::status},
    {cli::Verb::queue_list, verb::queue_list},
    {cli::Verb::queue_show, verb::queue_show},
    {cli::Verb::queue_retry, verb::queue_retry},
    {cli::Verb::queue_hold, verb::queue_hold},
    {cli::Verb::queue_release, verb::queue_release},
    {cli::Verb::queue_remove, verb::queue_remove},
    {cli::Verb::test, verb::test},
    {cli::Verb::certificate, verb::certificate},
    {cli::Verb::setup, verb::setup},
    {cli::Verb::doctor, verb::doctor},
    {cli::Verb::import_from, verb::import_from},
};

int run(const cli::Command& command, bool input_closed) {
  for (const Row& row : table) {
    if (row.verb == command.verb) return row.run({command, input_closed});
  }
  return 70;
}

}  // namespace

int main(int argc, char** argv) {
  const bool input_closed = base::settle_process();
  base::forbid_dumps();
  const base::Result<cli::Command> command = cli::parse_command(argc, argv);
  if (!command) return verb::complain(command.error());
  return run(*command, input_closed);
}
