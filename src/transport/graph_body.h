// graph_body: a stretch of a file as the body of a request, read while it is sent: as it is, or in
// base64 (RFC 4648, one line) between two texts. Owns nothing of the file, which must outlive it.
// Only the helper links it. Memory: 32 KiB. Errors: those of reading the file, and Fault::io when
// it ends early.
#pragma once

#include <cstdint>
#include <string>

#include "base/scratch.h"
#include "net/http.h"

namespace transport {

struct Stretch {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

void send_as_it_is(net::HttpRequest& request, const base::Scratch& file, Stretch stretch);
void send_as_base64(net::HttpRequest& request, const base::Scratch& file, Stretch stretch,
                    std::string before = {}, std::string behind = {});

}  // namespace transport
