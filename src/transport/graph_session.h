// graph_session: one attachment on its way to a draft: slices under 4 MB in order (decision 0016),
// continued where the session says after a broken one; a new session when one has expired. Source:
// facts/providers.md 3.5. What is smaller than a session takes goes in one request. Owns the upload
// URL, a secret. Errors: as of the steps. Trusts: nothing that Graph says.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "mail/mime_split.h"
#include "transport/graph_step.h"

namespace transport {

struct AttachmentPlace {
  std::string draft_url{};     // of the draft
  std::string upload_hosts{};  // that an upload URL may name besides Graph's own
};

// Answers whether it was attached; false: that cannot be known, and the draft is spoiled.
// `passed` hears how many octets of it have left.
base::Result<bool> attach(GraphSteps& steps, const AttachmentPlace& place,
                          const mail::SplitPart& part,
                          const std::function<void(std::uint64_t)>& passed);

}  // namespace transport
