#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "base/clock.h"
#include "base/seal.h"
#include "base/text.h"
#include "sandbox/graph.h"

namespace sandbox {

namespace {

constexpr std::int64_t attachment_limit = 150LL * 1024 * 1024;

std::string utc_text(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02dZ", utc.tm_year + 1900,
                utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return text.data();
}

WebAnswer json_answer(int status, const Json& body) {
  WebAnswer answer;
  answer.status = status;
  answer.body = write_json(body);
  return answer;
}

WebAnswer no_content() {
  WebAnswer answer;
  answer.status = 204;
  return answer;
}

Json draft_json(const GraphDraft& draft) {
  return {{"id", draft.id},
          {"isDraft", true},
          {"subject", draft.message.subject},
          {"internetMessageId",
           draft.message.message_id.empty() ? "" : "<" + draft.message.message_id + ">"},
          {"hasAttachments", !draft.attachments.empty()}};
}

// "bytes 0-99/400"
bool parse_range(const std::string& text, std::int64_t& from, std::int64_t& to,
                 std::int64_t& total) {
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (text.rfind("bytes ", 0) != 0 || dash == std::string::npos || slash == std::string::npos ||
      slash < dash) {
    return false;
  }
  const std::string_view view = text;
  return base::parse_number(view.substr(6, dash - 6), 0, attachment_limit, from) &&
         base::parse_number(view.substr(dash + 1, slash - dash - 1), from, attachment_limit, to) &&
         base::parse_number(view.substr(slash + 1), to + 1, attachment_limit, total);
}

GraphAttachment attachment_of(const Json& item) {
  GraphAttachment attachment;
  attachment.name = text_member(item, "name");
  attachment.type = text_member(item, "contentType");
  attachment.content_id = text_member(item, "contentId");
  attachment.is_inline = flag_member(item, "isInline");
  return attachment;
}

GraphError bad_json(const std::string& why) {
  return {400, "BadRequest", why, {}};
}

}  // namespace

GraphError no_such_item() {
  return {404, "ErrorItemNotFound", "The specified object was not found in the store.", {}};
}

WebAnswer Graph::make_draft(Call& call) {
  GraphMessage message;
  if (const std::optional<GraphError> wrong = read_mime(call, message)) return graph_answer(*wrong);
  return with_fault(struck(call.event, nullptr), [&] {
    const std::string id = drafts_.add(call.mailbox.name, std::move(message));
    return json_answer(201, draft_json(*drafts_.look(call.mailbox.name, id)));
  });
}

WebAnswer Graph::read_draft(Call& call) {
  const std::optional<GraphDraft> draft = drafts_.look(call.mailbox.name, call.rest[1]);
  return with_fault(struck(call.event, nullptr), [&] {
    return draft ? json_answer(200, draft_json(*draft)) : graph_answer(no_such_item());
  });
}

WebAnswer Graph::delete_draft(Call& call) {
  return with_fault(struck(call.event, nullptr), [&] {
    return drafts_.remove(call.mailbox.name, call.rest[1]) ? no_content()
                                                           : graph_answer(no_such_item());
  });
}

// A small attachment, in one request.
WebAnswer Graph::attach(Call& call) {
  const Json item = read_json(call.request.body);
  const base::Result<std::string> bytes = base::from_base64(text_member(item, "contentBytes"));
  if (text_member(item, "@odata.type") != "#microsoft.graph.fileAttachment" || !bytes ||
      text_member(item, "name").empty()) {
    return graph_answer(bad_json("A fileAttachment with name and contentBytes is needed."));
  }
  if (static_cast<std::int64_t>(bytes->size()) >= services_.options.graph_session_minimum) {
    return graph_answer(GraphError{413,
                                   "ErrorAttachmentSizeLimitExceeded",
                                   "The attachment is too large for one request.",
                                   {}});
  }
  return with_fault(struck(call.event, nullptr), [&] {
    GraphAttachment attachment = attachment_of(item);
    attachment.bytes = *bytes;
    if (!drafts_.attach(call.mailbox.name, call.rest[1], std::move(attachment))) {
      return graph_answer(no_such_item());
    }
    return json_answer(201, {{"@odata.type", "#microsoft.graph.fileAttachment"},
                             {"id", "AAMk" + random_text(120)},
                             {"name", text_member(item, "name")},
                             {"size", bytes->size()}});
  });
}

WebAnswer Graph::start_session(Call& call) {
  const Json asked = read_json(call.request.body);
  const Json* item = member(asked, "AttachmentItem");
  if (item == nullptr) item = member(asked, "attachmentItem");
  if (item == nullptr || text_member(*item, "attachmentType") != "file" ||
      text_member(*item, "name").empty()) {
    return graph_answer(bad_json("An AttachmentItem with attachmentType file and name is needed."));
  }
  const std::int64_t size = number_member(*item, "size");
  call.details.emplace_back("size", std::to_string(size));
  if (size < services_.options.graph_session_minimum) {
    return graph_answer(GraphError{400,
                                   "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize",
                                   "The attachment is too small for an upload session.",
                                   {}});
  }
  if (size > attachment_limit) {
    return graph_answer(GraphError{
        413, "ErrorAttachmentSizeLimitExceeded", "The attachment is larger than 150 MB.", {}});
  }
  if (!drafts_.look(call.mailbox.name, call.rest[1])) return graph_answer(no_such_item());
  return with_fault(struck(call.event, nullptr), [&] {
    UploadSession session;
    session.draft = call.rest[1];
    session.mailbox = call.mailbox.name;
    session.secret = random_text(43);
    session.attachment = attachment_of(*item);
    session.size = static_cast<std::uint64_t>(size);
    session.expires = base::wall_seconds() + services_.options.graph_session_s;
    const std::string id = drafts_.start(session);
    return json_answer(
        201, {{"@odata.context", base_url_ + "/v1.0/$metadata#microsoft.graph.uploadSession"},
              {"uploadUrl",
               base_url_ + std::string(upload_prefix) + id + "?authtoken=" + session.secret},
              {"expirationDateTime", utc_text(session.expires)},
              {"nextExpectedRanges", Json::array({"0-"})}});
  });
}

// The upload URL: a service of its own, which knows no bearer token.
WebAnswer Graph::session(const WebRequest& request, std::string& event, Details& details) {
  event = request.method == "PUT" ? "graph.slice" : "graph.session." + base::lower(request.method);
  if (!request.authorization.empty()) {
    return graph_answer(
        GraphError{401, "Unauthorized", "The upload URL takes no Authorization header.", {}});
  }
  const std::string id = request.path.substr(upload_prefix.size());
  const std::optional<UploadSession> found =
      drafts_.session(id, parameter(request.query, "authtoken"));
  if (!found) {
    return graph_answer(GraphError{
        404, "ErrorItemNotFound", "The upload session was not found, or has expired.", {}});
  }
  if (request.method == "PUT") return slice(request, id, details);
  if (request.method == "DELETE") {
    drafts_.cancel(id);
    return no_content();
  }
  if (request.method != "GET") {
    return graph_answer(GraphError{405, "MethodNotAllowed", "Method not allowed.", {}});
  }
  return json_answer(
      200, {{"expirationDateTime", utc_text(found->expires)},
            {"nextExpectedRanges", Json::array({std::to_string(drafts_.received(id)) + "-"})}});
}

WebAnswer Graph::slice(const WebRequest& request, const std::string& id, Details& details) {
  const std::string range = request.header("content-range");
  details.emplace_back("range", base::clean(range, 80));
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::int64_t total = 0;
  const std::optional<UploadSession> session =
      drafts_.session(id, parameter(request.query, "authtoken"));
  if (!session || request.too_large ||
      static_cast<std::int64_t>(request.body.size()) >= services_.options.graph_request_limit) {
    return graph_answer(
        GraphError{413, "RequestEntityTooLarge", "A slice must be smaller than 4 MB.", {}});
  }
  if (!parse_range(range, from, to, total) ||
      to - from + 1 != static_cast<std::int64_t>(request.body.size()) ||
      total != static_cast<std::int64_t>(session->size)) {
    return graph_answer(GraphError{400, "InvalidContentRange", "Content-Range does not fit.", {}});
  }
  return with_fault(struck("graph.slice", nullptr), [&] {
    bool complete = false;
    if (!drafts_.put(id, static_cast<std::uint64_t>(from), request.body, complete)) {
      return graph_answer(GraphError{416, "InvalidRange", "These bytes are not expected now.", {}});
    }
    if (!complete) {
      return json_answer(200, {{"expirationDateTime", utc_text(session->expires)},
                               {"nextExpectedRanges", Json::array({std::to_string(to + 1)})}});
    }
    WebAnswer done;
    done.status = 201;
    done.headers = {{"Location", base_url_ + "/api/v2.0/Users('" + session->mailbox +
                                     "')/Messages('" + session->draft + "')/Attachments('" +
                                     random_text(40) + "')"}};
    return done;
  });
}

}  // namespace sandbox
