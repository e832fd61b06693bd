// message_ids: the Message-IDs by which messages name each other, for providers that replace them
// on submission. Source: design section 4 (map_message_ids); RFC 5322 3.6.4; RFC 6376 3.5 (h=). An
// id is always without its angle brackets. Pure. Limits: an id message_id_limit octets; a field of
// over 32 KiB, which Exchange refuses anyhow (5.6.211), is not looked at. Trusts: nothing; what
// goes into a header is judged here, whoever looked it up.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mail/header.h"

namespace mail {

constexpr std::size_t message_id_limit = 500;

// Printable ASCII without blanks and angle brackets: what can stand between these.
bool is_message_id(std::string_view id);

// The id of the first Message-ID field; nothing: it has none that can be read.
std::optional<std::string> message_id_of(const Header& header);

// The id that a provider gave a message, out of its final reply: "250 2.0.0 OK <ID>
// [Hostname=...]". The first <...> with the strict form of RFC 5322; nothing when it is `ours`.
std::optional<std::string> new_message_id(std::string_view final_reply, std::string_view ours);

// The ids in In-Reply-To and References that map_message_ids would ask for.
std::vector<std::string> referenced_ids(const Header& header);

// The new id of an id, or null when it is not known.
using IdLookup = std::function<const std::string*(std::string_view id)>;

// Puts new ids in the place of those that `lookup` knows, in In-Reply-To and References; every
// other byte (folds, comments, garbage) stays, but a line that would grow too long for the wire
// gets blanks around its new ids, where it can be folded. A field that a DKIM, ARC or developer
// signature of the message names in h= stays as it is. multipart/signed does not cover these
// fields. Returns how many ids were replaced.
std::size_t map_message_ids(Header& header, const IdLookup& lookup);

}  // namespace mail
