// place: which configuration a command of the person is about, and whose; the design's "Which
// profile" without a message to send. Root means the host's, unless $MAILBEARER_CONFIG names a
// file. Errors: those of account/configuration; Fault::config for an account that is not there or
// broken.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "account/choose.h"
#include "account/configuration.h"
#include "cli/command.h"
#include "cli/environment.h"
#include "net/helper_program.h"
#include "token/keyring.h"

namespace verb {

struct Place {
  cli::Environment environment = cli::read_environment();
  cli::Person person{};
  account::ConfigurationPaths paths{};

  explicit Place(const cli::Command& command);
  // A store may ask for its password only while somebody sits at a terminal of ours.
  token::KeyringPlaces keyrings() const;
  // Started when first needed; what this Place and its copies share.
  std::shared_ptr<net::HelperProgram> helper;
  // Where access tokens and TLS sessions are shared; empty: nowhere.
  std::string runtime_dir(const account::Configuration& configuration) const;
};

// The accounts that a command is about; none named: all. A faulty one is an error only when named:
// its secrets are bound to words that are not known yet.
base::Result<std::vector<account::Account>> accounts_of(const Place& place,
                                                        const std::string& name);

}  // namespace verb
