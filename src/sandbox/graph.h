// graph: Microsoft Graph as far as sending mail goes: sendMail, drafts from MIME, attachments,
// upload sessions. Source: facts/providers.md 3; design section 8. MIME only: the JSON form of
// sendMail is refused in words. Owns: the drafts. Threads: any. Trusts: nothing.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/graph_drafts.h"
#include "sandbox/graph_error.h"
#include "sandbox/graph_message.h"
#include "sandbox/submission.h"
#include "sandbox/web.h"

namespace sandbox {

// Where upload sessions live.
constexpr std::string_view upload_prefix = "/api/v2.0/upload/";

GraphError no_such_item();

class Graph {
 public:
  explicit Graph(Services& services) : services_(services) {}
  void set_base_url(const std::string& base_url) { base_url_ = base_url; }
  static bool owns(const std::string& path);

  // When the head is there: the limit of requests at once, and faults of the stage graph.request.
  std::optional<WebAnswer> gate(WebRequest& request);
  WebAnswer answer(const WebRequest& request);
  GraphDrafts& drafts() { return drafts_; }

 private:
  struct Call {
    const WebRequest& request;
    std::string event;  // for the journal: "graph.send"
    User mailbox;
    std::vector<std::string> rest;  // the path behind the mailbox
    Details details{};
  };
  struct Kind {
    const char* method;
    const char* form;   // '*' stands for an id
    const char* event;  // also the stage of faults
    const char* permission;
    WebAnswer (Graph::*act)(Call& call);
  };
  static const std::vector<Kind>& kinds();

  WebAnswer work(const WebRequest& request, std::string& event, Details& details);
  std::optional<GraphError> find_mailbox(const WebRequest& request, const std::string& name,
                                         User& mailbox) const;
  WebAnswer send_mail(Call& call);
  WebAnswer make_draft(Call& call);
  WebAnswer read_draft(Call& call);
  WebAnswer send_draft(Call& call);
  WebAnswer delete_draft(Call& call);
  WebAnswer attach(Call& call);
  WebAnswer start_session(Call& call);
  WebAnswer session(const WebRequest& request, std::string& event, Details& details);
  WebAnswer slice(const WebRequest& request, const std::string& id, Details& details);

  std::optional<GraphError> read_mime(const Call& call, GraphMessage& message) const;
  std::optional<GraphError> keep(Call& call, const GraphMessage& message,
                                 const std::vector<GraphAttachment>& attachments);
  // The fault that strikes now, of the stage or of a recipient.
  std::optional<Fault> struck(const std::string& stage, const GraphMessage* message);
  static WebAnswer with_fault(const std::optional<Fault>& fault,
                              const std::function<WebAnswer()>& act);
  GraphQuirks quirks() const;

  Services& services_;
  GraphDrafts drafts_;
  std::string base_url_;
};

}  // namespace sandbox
