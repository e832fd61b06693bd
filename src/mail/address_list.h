// address_list: the reader behind parse_address_list and parse_reverse_path. Internal to the room.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "mail/address.h"

namespace mail {

// `null_fits`: "<>" is the null mailbox, not an error.
base::Result<std::vector<Address>> read_list(std::string_view text, Written written,
                                             bool null_fits);

}  // namespace mail
