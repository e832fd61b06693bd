// random: names that nobody can guess, from getrandom(2); for ids and boundaries. Keys come from
// seal.
#pragma once

#include <string>

namespace base {
std::string random_hex(std::size_t bytes);  // two digits a byte
}
