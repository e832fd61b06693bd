// crypto_library: how OpenSSL starts in our programs: no configuration file (A12), nothing that
// runs at exit, and, for a program that lives for one message, only the algorithms that TLS 1.2,
// TLS 1.3 and our own sealing use. Source: OpenSSL provider(7), OPENSSL_init_crypto(3);
// docs/decisions/0013 has the figures. Whoever comes first decides; later calls change nothing.
#pragma once

#include <cstdint>

namespace base {

// narrow: everything but the wanted algorithms is hidden, which halves what a start costs. Where
// that cannot be done, and for whole, all of the default provider is there. Not meant for
// programs that read keys from files.
enum class Crypto : std::uint8_t { whole, narrow };

// True when the library can be used.
bool start_crypto(Crypto wanted = Crypto::whole);

}  // namespace base
