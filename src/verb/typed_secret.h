// typed_secret: a secret that comes on standard input: to its end, less one line end; what is typed
// on a terminal does not show. Limits: 64 KiB, one line. Errors: Fault::io, Fault::bad_message.
#pragma once

#include "base/result.h"
#include "base/secret.h"

namespace verb {

base::Result<base::Secret> read_typed_secret(bool input_closed);

}  // namespace verb
