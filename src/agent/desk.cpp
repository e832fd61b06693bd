#include "agent/desk.h"

#include <utility>

#include "base/process.h"
#include "token/obtain.h"
#include "transport/deliver.h"
#include "transport/message_ids.h"

namespace agent {

std::vector<base::Fate> Desk::carry(const Errand& errand) {
  const account::Account& account = errand.account;
  net::HelperProgram& helper = this->helper();
  token::Source::Places places;
  places.runtime_dir = runtime_dir(around_, errand.configuration);
  places.keyring.credentials_directory = around_.environment.credentials_directory;
  token::Source source(account, places, {[&helper] { return helper.open(); }});

  const transport::MessageIds message_ids(errand.configuration.state_dir, account);
  const bool auth_by_token =
      account.auth == account::Auth::xoauth2 || account.auth == account::Auth::oauthbearer;
  const bool by_token = auth_by_token || account.transport == account::Transport::graph;
  // A rotated refresh token must be stored before we may be ended.
  std::optional<base::SignalHold> unstored;
  if (by_token && account.grant == account::Grant::user) unstored.emplace();
  if (by_token) source.start();  // beside the dialogue, which needs it only at AUTH

  transport::Delivery delivery;
  delivery.account = &account;
  delivery.message = &errand.message;
  delivery.trace = errand.trace;
  delivery.connections = &connections(places.runtime_dir);
  delivery.all_or_nothing = errand.all_or_nothing;
  delivery.more_to_come = errand.more_to_come;
  delivery.before_end = errand.before_end;
  delivery.reencode = [&helper](const base::Scratch& whole, bool seven_bit) {
    return helper.reencode(whole, seven_bit);
  };
  delivery.ask = [&helper](const net::Record& request, base::Deadline deadline) {
    return helper.ask(request, deadline);
  };
  delivery.token = [&](bool fresh) -> base::Result<base::Secret> {
    if (fresh && account.grant == account::Grant::user && !unstored) unstored.emplace();
    base::Result<base::Secret> token = source.get(fresh ? token::Want::fresh : token::Want::usable);
    unstored.reset();
    return token;
  };
  delivery.credential = [&](bool fresh) {
    return auth_by_token ? delivery.token(fresh) : source.password();
  };
  std::vector<base::Fate> fates = transport::deliver(delivery);
  message_ids.remember(errand.message.message.header, fates);
  return fates;
}

void Desk::rest() {
  if (connections_) connections_->close_idle();
}

transport::Connections& Desk::connections(const std::string& runtime_dir) {
  if (!connections_) {
    known_.emplace(memory_, runtime_dir);
    connections_.emplace(*known_);
  }
  return *connections_;
}

net::HelperProgram& Desk::helper() {
  if (!helper_) {
    helper_.emplace(base::sibling_program("mailbearer-helper", MAILBEARER_LIBEXEC),
                    cli::environment_for_child(around_.environment));
  }
  return *helper_;
}

}  // namespace agent
