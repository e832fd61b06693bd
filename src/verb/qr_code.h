// qr_code: an address as a QR code for a terminal, by Debian's qrencode where that is installed;
// else nothing (docs/decisions/0026). No error: the address stands above it as text.
#pragma once

#include <string>

namespace verb {

std::string qr_code(const std::string& text);

}  // namespace verb
