// deliver: hands a prepared message to the account's provider and answers for every recipient.
// Source: design section 6. Never fails as a call: a lost connection is a fate too. Does not log or
// print.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "account/account.h"
#include "base/clock.h"
#include "base/fate.h"
#include "base/secret.h"
#include "base/trace.h"
#include "mail/mime.h"
#include "mail/prepare.h"
#include "net/record.h"

namespace transport {

class Connections;
class MailboxPace;

// Yields the secret for AUTH; `fresh`: the last one was refused.
using Credential = std::function<base::Result<base::Secret>(bool fresh)>;

// One request to mailbearer-helper and its answer. Fault::outcome_unknown: it was handed over, and
// no answer came.
using AskHelper =
    std::function<base::Result<net::Record>(const net::Record& request, base::Deadline deadline)>;

// What a log tells of an attempt beside its fates.
struct Trail {
  std::int64_t waited_ms = 0;       // for its turn
  std::string client_request_id{};  // our name for the last request to Graph
  std::string request_id{};         // Graph's own
};

struct Delivery {
  const account::Account* account = nullptr;
  mail::Prepared* message = nullptr;  // changed by re-encoding and A-labels only
  Credential credential{};            // for AUTH
  Credential token{};                 // for Graph
  // A fresh one that claims what a 401 asked for. Empty: then token(true) has to do.
  std::function<base::Result<base::Secret>(const std::string& claims)> token_claiming{};
  AskHelper ask{};  // for Graph
  mail::Reencode reencode{};
  base::Trace trace{};
  bool all_or_nothing = true;  // `now` mode: one refused recipient, and nothing is sent
  // Where connections come from and are left for the next message. Null: one for this message.
  Connections* connections = nullptr;
  bool more_to_come = false;          // for this account, at once: the connection is worth keeping
  const MailboxPace* pace = nullptr;  // kept with the other processes of the user; null: by nobody
  Trail* trail = nullptr;
  // Called before the last byte of the message leaves for the recipients [first, first + count) of
  // the envelope: from then on its outcome may be unknown. An error stops it: nothing was sent.
  std::function<base::Done(std::size_t first, std::size_t count)> before_end{};
};

std::vector<base::Fate> deliver(const Delivery& delivery);

}  // namespace transport
