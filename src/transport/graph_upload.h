// graph_upload: a message too large for one call of Graph (`graph_large = upload`): a draft of it
// without its large attachments, each of these by itself, and then the draft is sent. Source:
// facts/providers.md 3.5; design section 6; decision 0016. The order of attachments is kept as far
// as mail/mime_split.h can. Slices are sent in order, and a broken one is continued where the
// session says; an expired session is begun anew, and what cannot be known (whether a lost request
// attached something) begins the whole draft anew. The request to send is made once: only 202 is
// success, and its lost answer is unknown. A draft that was not sent is removed, also when time is
// up or a signal wants to end us; of unknown ones nothing is touched. Limits: attachments of 150
// MiB, 40 of them; the attempt's deadline (Phases). Errors, as fates: Fault::bad_message for what
// cannot be taken apart. Trusts: nothing that Graph says.
#pragma once

#include <cstdint>
#include <vector>

#include "base/fate.h"
#include "base/scratch.h"
#include "transport/deliver.h"

namespace transport {

// `message` is the whole message as Graph shall have it; it ends as one call's message would, with
// at most `rest_bytes` of it in the draft.
std::vector<base::Fate> deliver_by_upload(const Delivery& delivery, const base::Scratch& message,
                                          std::uint64_t rest_bytes);

// The address of this account's mailbox in Graph. Grants of an app have no "me".
std::string graph_mailbox(const account::Account& account);

}  // namespace transport
