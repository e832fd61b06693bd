// graph_items: what an upload says and hears in JSON. Source: facts/providers.md 3.5; the types
// attachmentItem, fileAttachment and uploadSession of Graph. JSON is made and read in
// graph_items.cpp only, which only the helper links. Limits: of what is read, 16 levels, an id of
// 1 KiB, an address of 8 KiB, sizes of 1 TB. Errors: none; what is missing or malformed is empty.
// Trusts: nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace transport {

struct UploadItem {
  std::string name{};
  std::string type{};
  std::string content_id{};
  bool is_inline = false;
  std::uint64_t size = 0;
};

// The body of createUploadSession.
std::string session_text(const UploadItem& item);

// A small attachment in one request: what stands before the base64 of its bytes, and behind it.
struct Around {
  std::string before{};
  std::string behind{};
};
Around attachment_text(const UploadItem& item);

struct ItemAnswer {
  std::string id{};
  base::Secret upload_url{};            // who knows it may write there
  std::optional<std::uint64_t> next{};  // where the first of nextExpectedRanges begins
};
ItemAnswer read_item(std::string_view body);

}  // namespace transport
