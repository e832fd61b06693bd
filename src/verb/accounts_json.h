// accounts_json: the accounts as JSON, for programs. No secret is in it. The only file of this room
// that knows a JSON library, with its .cpp.
#pragma once

#include <string>

#include "account/configuration.h"

namespace verb {

std::string accounts_json(const account::Configuration& configuration);

}  // namespace verb
