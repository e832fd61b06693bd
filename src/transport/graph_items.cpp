#include "transport/graph_items.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace transport {

namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr int depth_limit = 16;
constexpr std::size_t id_limit = 1024;
constexpr std::size_t url_limit = std::size_t{8} * 1024;
constexpr std::int64_t size_limit = 1'000'000'000'000;

// Names come from the message: what is no UTF-8 is replaced, not an error.
std::string text_of(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

void describe(OrderedJson& json, const UploadItem& item) {
  json["name"] = item.name;
  json["contentType"] = item.type;
  json["isInline"] = item.is_inline;
  if (!item.content_id.empty()) json["contentId"] = item.content_id;
}

// An answer may hold the whole text of a message: only what is asked for is kept.
Json parse(std::string_view body) {
  const auto wanted = [](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth == 1 && event == Json::parse_event_t::key) {
      return parsed == "id" || parsed == "uploadUrl" || parsed == "nextExpectedRanges";
    }
    return depth <= depth_limit;
  };
  return Json::parse(body.begin(), body.end(), wanted, false);
}

const std::string* text_at(const Json& json, const char* name, std::size_t limit) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return nullptr;
  const auto* text = found->get_ptr<const std::string*>();
  return text->empty() || text->size() > limit || base::has_control(*text) ? nullptr : text;
}

// "3932160-", "3932160-7864319" and "3932160" are met.
std::optional<std::uint64_t> begin_of(const std::string& range) {
  std::int64_t begin = 0;
  const std::string_view digits = std::string_view(range).substr(0, range.find('-'));
  if (!base::parse_number(digits, 0, size_limit, begin)) return std::nullopt;
  return static_cast<std::uint64_t>(begin);
}

}  // namespace

std::string session_text(const UploadItem& item) {
  OrderedJson inner;
  inner["attachmentType"] = "file";
  inner["size"] = item.size;
  describe(inner, item);
  OrderedJson json;
  json["AttachmentItem"] = inner;
  return text_of(json);
}

Around attachment_text(const UploadItem& item) {
  OrderedJson json;
  json["@odata.type"] = "#microsoft.graph.fileAttachment";
  describe(json, item);
  json["contentBytes"] = "";
  // The bytes belong between the last two quotation marks; base64 needs no escapes.
  const std::string whole = text_of(json);
  const std::size_t place = whole.size() - std::string_view("\"}").size();
  return {whole.substr(0, place), whole.substr(place)};
}

ItemAnswer read_item(std::string_view body) {
  ItemAnswer answer;
  const Json json = parse(body);
  if (!json.is_object()) return answer;
  if (const std::string* id = text_at(json, "id", id_limit)) answer.id = *id;
  if (const std::string* url = text_at(json, "uploadUrl", url_limit)) {
    answer.upload_url = base::Secret(*url);
  }
  const auto ranges = json.find("nextExpectedRanges");
  if (ranges != json.end() && ranges->is_array() && !ranges->empty() &&
      ranges->front().is_string()) {
    answer.next = begin_of(*ranges->front().get_ptr<const std::string*>());
  }
  return answer;
}

}  // namespace transport
