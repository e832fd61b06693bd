// mime_input: a message as a MIME parser may be given it: bounded, and in a file. Internal to the
// room; knows no parser. Limits: 20,000 lines that may be boundaries. Errors: Fault::bad_message,
// Fault::io, Fault::cannot_create.
#pragma once

#include "base/file.h"
#include "base/result.h"
#include "base/scratch.h"

namespace mail {

// Refuses a message with too many lines that may be boundaries: a parser makes an object of each
// part.
base::Done count_boundaries(const base::Scratch& whole);

// The message as a file to seek in, which stands at its beginning.
base::Result<base::Fd> as_file(const base::Scratch& whole);

}  // namespace mail
