// call: what each verb of `mailbearer` does: one function a verb, each in the file of its name, in
// the table of mailbearer.cpp. A verb reads the configuration, calls the rooms below and speaks by
// the console; the answer is the exit code. Source: design section 7. Trusts: the command line only
// as far as cli/command has judged it.
#pragma once

#include <string>

#include "cli/command.h"

namespace verb {

struct Call {
  const cli::Command& command;
  bool input_closed = false;  // standard input was closed when we were started

  // The word behind the verb, or empty.
  std::string operand(std::size_t i) const {
    return i < command.operands.size() ? command.operands[i] : std::string();
  }
};

int config_check(const Call& call);
int config_show(const Call& call);
int secret_set(const Call& call);
int secret_status(const Call& call);
int secret_clear(const Call& call);
int keyring_status(const Call& call);
int keyring_migrate(const Call& call);
int logout(const Call& call);
int token_print(const Call& call);
int refresh(const Call& call);
int explain(const Call& call);
int login(const Call& call);
int accounts(const Call& call);
int status(const Call& call);
int queue_list(const Call& call);
int queue_show(const Call& call);
int queue_retry(const Call& call);
int queue_hold(const Call& call);
int queue_release(const Call& call);
int queue_remove(const Call& call);
int test(const Call& call);
int certificate(const Call& call);
int setup(const Call& call);
int doctor(const Call& call);
int import_from(const Call& call);
int help(const Call& call);

}  // namespace verb
