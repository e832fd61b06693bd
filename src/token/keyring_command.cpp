#include "token/keyring_command.h"

#include "base/seal.h"
#include "token/secret_program.h"

namespace token {

namespace {

base::Error read_only(const account::Account& account, const std::string& doing,
                      const std::string& typed) {
  base::Error error =
      base::failure(base::Fault::config, "keyring = command can only be read, not " + doing,
                    "do it with the program that keeps it (" + typed +
                        "), or set keyring = file in " + account.where);
  error.account = account.name;
  return error;
}

}  // namespace

CommandKeyring::CommandKeyring(const account::Account& account) {
  for (const std::string& word : account.secret_command) {
    typed_ += (typed_.empty() ? "" : " ") + word;
  }
}

base::Result<std::optional<base::Secret>> CommandKeyring::load(const account::Account& account,
                                                               Kind kind) {
  if (kind != signs_in_with(account)) return std::optional<base::Secret>();
  base::Result<base::Secret> secret = run_secret_command(account);
  if (!secret) return std::move(secret).error();
  return std::optional<base::Secret>(std::move(*secret));
}

base::Done CommandKeyring::store(const account::Account& account, Kind /*kind*/,
                                 const base::Secret& /*secret*/) {
  return read_only(account, "stored in", typed_);
}

base::Result<bool> CommandKeyring::erase(const account::Account& account, Kind /*kind*/) {
  return read_only(account, "erased from", typed_);
}

base::Result<bool> CommandKeyring::exchange(const account::Account& account, Kind /*kind*/,
                                            const base::Secret& /*expected*/,
                                            const base::Secret& /*secret*/) {
  return read_only(account, "stored in", typed_);
}

base::Result<base::Fd> CommandKeyring::reserve(const account::Account& /*account*/, Kind /*kind*/) {
  return base::Fd();
}

std::string CommandKeyring::stamp(const account::Account& /*account*/, Kind /*kind*/) {
  return "command." + base::sha256_hex(typed_);
}

std::int64_t CommandKeyring::changed_s(const account::Account& /*account*/, Kind /*kind*/) const {
  return 0;
}

std::string CommandKeyring::describe() const {
  return "command " + typed_;
}

}  // namespace token
