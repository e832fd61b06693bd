// graph_message: a MIME message as Graph takes it: whom it would go to, from whom, and what leaves.
// Source: facts/providers.md 3.2-3.4. Recipients are those of To, Cc and Bcc, and of nothing else:
// Resent- fields do not count. Limits: the caller's, on the whole; 256 KiB of header.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/graph_error.h"
#include "sandbox/seed.h"

namespace sandbox {

struct GraphMessage {
  std::string header{};                   // what leaves, without Bcc; each field with CRLF
  std::string body{};                     // behind the empty line
  std::vector<std::string> recipients{};  // no address twice
  std::vector<std::string> from{};
  std::string message_id{};
  std::string subject{};
};

struct GraphAttachment {
  std::string name{};
  std::string type{};
  std::string content_id{};
  bool is_inline = false;
  std::string bytes{};
};

// What the real service does to some messages (options --graph-drop-*).
struct GraphQuirks {
  bool drop_headers = false;    // fields that Exchange does not know and that do not begin with X-
  bool drop_x_headers = false;  // X- fields
  std::int64_t recipient_limit = 500;
};

// The text of a request: base64, in which line ends are fine.
std::optional<GraphError> decode_mime(std::string_view text, std::string& mime);
std::optional<GraphError> read_graph_message(const std::string& mime, const GraphQuirks& quirks,
                                             GraphMessage& message);
// Recipients and sender rights: what is looked at when it is sent.
std::optional<GraphError> judge_graph_message(const GraphMessage& message, const User& mailbox,
                                              const GraphQuirks& quirks);

// The bytes of the message with its attachments.
std::string compose(const GraphMessage& message, const std::vector<GraphAttachment>& attachments);

}  // namespace sandbox
