// endings: what of an account ends soon, its certificate read. Source: account/expiry.h. Errors:
// none; what cannot be read is not known to end.
#pragma once

#include <string>
#include <vector>

#include "account/expiry.h"
#include "verb/place.h"

namespace verb {

std::vector<account::Ending> endings_of(const account::Account& account);

// Of all accounts what has reached a step of warning, a line each; `worst`: 0 nothing, 1 it ends
// soon, 2 it is over.
std::string told_endings(const std::vector<account::Account>& accounts, int& worst);

}  // namespace verb
