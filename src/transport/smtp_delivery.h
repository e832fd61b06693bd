// smtp_delivery: a delivery by SMTP from the first connection to the fates: what can be judged
// before anybody is called, an open connection or a new one with its sign-in (on a second
// connection if the server drops the first one), a transaction, or several where recipients over
// max_recipients may be split. The wire is a parameter, so that tests can be the server.
#pragma once

#include <vector>

#include "transport/deliver.h"
#include "transport/smtp.h"

namespace transport {

std::vector<base::Fate> deliver_by_smtp(const Delivery& delivery, Wire& wire, const Phases& phases);

}  // namespace transport
