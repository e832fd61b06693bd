#include "base/random.h"
#include "base/seal.h"
#include "base/text.h"
#include "sandbox/graph_message.h"
#include "sandbox/message_check.h"

namespace sandbox {

namespace {

constexpr std::size_t base64_line = 76;

std::string base64_lines(const std::string& bytes) {
  const std::string text = base::base64(bytes);
  std::string out;
  out.reserve(text.size() + text.size() / base64_line * 2 + 2);
  for (std::size_t at = 0; at < text.size(); at += base64_line) {
    out += text.substr(at, base64_line);
    out += "\r\n";
  }
  return out;
}

// RFC 2231 where the name is more than letters, digits and a few marks.
std::string name_parameter(const char* parameter, const std::string& name) {
  const std::string encoded = base::percent_encode(name);
  if (encoded == name) return std::string("; ") + parameter + "=\"" + name + "\"";
  return std::string("; ") + parameter + "*=utf-8''" + encoded;
}

std::string part_of(const GraphAttachment& attachment) {
  const std::string type = attachment.type.empty() || base::has_control(attachment.type)
                               ? "application/octet-stream"
                               : attachment.type;
  std::string part = "Content-Type: " + type + name_parameter("name", attachment.name) + "\r\n" +
                     "Content-Transfer-Encoding: base64\r\nContent-Disposition: " +
                     (attachment.is_inline ? "inline" : "attachment") +
                     name_parameter("filename", attachment.name) + "\r\n";
  if (!attachment.content_id.empty()) {
    part += "Content-ID: <" + base::clean(attachment.content_id, 500) + ">\r\n";
  }
  return part + "\r\n" + base64_lines(attachment.bytes);
}

// The part with those attachments that are inline, or with those that are not, behind it.
std::string wrap(const std::string& part, const char* kind,
                 const std::vector<GraphAttachment>& attachments, bool is_inline) {
  const std::string boundary = "_sandbox_" + base::random_hex(12) + "_";
  std::string out = std::string("Content-Type: ") + kind + ";\r\n\tboundary=\"" + boundary +
                    "\"\r\n\r\n--" + boundary + "\r\n" + part;
  bool any = false;
  for (const GraphAttachment& one : attachments) {
    if (one.is_inline != is_inline) continue;
    any = true;
    out += "\r\n--" + boundary + "\r\n" + part_of(one);
  }
  out += "\r\n--" + boundary + "--\r\n";
  return any ? out : part;
}

}  // namespace

std::string compose(const GraphMessage& message, const std::vector<GraphAttachment>& attachments) {
  if (attachments.empty()) return message.header + "\r\n" + message.body;
  std::string outer;
  std::string content;
  for (const HeaderField& field : header_fields(message.header)) {
    if (base::same_ignoring_case(field.name, "MIME-Version")) continue;
    const bool of_content = base::starts_with_ignoring_case(field.name, "Content-");
    (of_content ? content : outer) += message.header.substr(field.start, field.length);
  }
  std::string part = content + "\r\n" + message.body;
  part = wrap(part, "multipart/related", attachments, true);
  part = wrap(part, "multipart/mixed", attachments, false);
  return outer + "MIME-Version: 1.0\r\n" + part;
}

}  // namespace sandbox
