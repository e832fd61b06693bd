#include "base/clock.h"
#include "base/text.h"
#include "sandbox/graph.h"

namespace sandbox {

namespace {

constexpr std::int64_t slow_ms = 2'000;

WebAnswer plain(int status) {
  WebAnswer answer;
  answer.status = status;
  return answer;
}

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& one : list) out += (out.empty() ? "" : " ") + one;
  return out;
}

}  // namespace

GraphQuirks Graph::quirks() const {
  return {services_.options.graph_drop_headers, services_.options.graph_drop_x_headers,
          services_.options.recipient_limit};
}

std::optional<Fault> Graph::struck(const std::string& stage, const GraphMessage* message) {
  if (message != nullptr) {
    for (const std::string& address : message->recipients) {
      const base::Result<std::vector<Fault>> faults = recipient_faults(address);
      if (!faults) continue;
      for (const Fault& fault : *faults) {
        if (fault.stage == "graph" && services_.faults.strikes(address, fault)) return fault;
      }
    }
  }
  return services_.faults.take(stage);
}

// A fault comes instead of the act; with `keep`, the act is done and its answer lost; one that is
// only slow delays the true answer.
WebAnswer Graph::with_fault(const std::optional<Fault>& fault,
                            const std::function<WebAnswer()>& act) {
  if (!fault) return act();
  if (fault->action == Fault::Action::slow) {
    WebAnswer late = act();
    late.delay_ms = fault->delay_ms > 0 ? fault->delay_ms : slow_ms;
    return late;
  }
  if (fault->keep) {
    WebAnswer lost = act();
    if (lost.status >= 300) return lost;
  }
  return graph_answer(*fault);
}

std::optional<GraphError> Graph::read_mime(const Call& call, GraphMessage& message) const {
  if (!base::starts_with_ignoring_case(call.request.content_type, "text/plain")) {
    return GraphError{415,
                      "UnsupportedMediaType",
                      "The sandbox takes messages as MIME only: Content-Type: text/plain, and "
                      "base64.",
                      {}};
  }
  std::string mime;
  std::optional<GraphError> wrong = decode_mime(call.request.body, mime);
  if (!wrong) wrong = read_graph_message(mime, quirks(), message);
  return wrong;
}

std::optional<GraphError> Graph::keep(Call& call, const GraphMessage& message,
                                      const std::vector<GraphAttachment>& attachments) {
  if (!services_.limits.take_message(base::lower(call.mailbox.name), base::boot_ms())) {
    return GraphError{429,
                      "ApplicationThrottled",
                      "The mailbox is over its limit of messages a minute.",
                      {{"Retry-After", "60"}}};
  }
  EnvelopeFacts envelope;
  envelope.from = "<" + (message.from.empty() ? call.mailbox.name : message.from[0]) + ">";
  for (const std::string& one : message.recipients) envelope.to.push_back("<" + one + ">");
  envelope.parameters = "GRAPH";
  envelope.user = call.mailbox.name;
  base::Result<StoredMessage> file = StoredMessage::start(services_.maildir);
  base::Done kept = file ? file->write(envelope_lines(envelope)) : base::Done(file.error());
  if (kept) kept = file->write(compose(message, attachments));
  if (kept) kept = file->keep();
  if (!kept) return GraphError{507, "ErrorMailboxStoreUnavailable", kept.error().cause, {}};
  services_.journal.note("graph.kept", {{"file", file->name()},
                                        {"mailbox", call.mailbox.name},
                                        {"recipients", joined(message.recipients)},
                                        {"message_id", message.message_id}});
  return std::nullopt;
}

WebAnswer Graph::send_mail(Call& call) {
  GraphMessage message;
  std::optional<GraphError> wrong = read_mime(call, message);
  if (!wrong) wrong = judge_graph_message(message, call.mailbox, quirks());
  if (wrong) return graph_answer(*wrong);
  call.details.emplace_back("bytes", std::to_string(call.request.body.size()));
  const std::int64_t lost_over = services_.options.graph_lose_over;
  if (lost_over > 0 && static_cast<std::int64_t>(call.request.body.size()) > lost_over) {
    return plain(200);
  }
  return with_fault(struck(call.event, &message), [&] {
    const std::optional<GraphError> refused = keep(call, message, {});
    return refused ? graph_answer(*refused) : plain(202);
  });
}

WebAnswer Graph::send_draft(Call& call) {
  const std::optional<GraphDraft> draft = drafts_.copy(call.mailbox.name, call.rest[1]);
  if (!draft) return graph_answer(no_such_item());
  const std::optional<GraphError> wrong =
      judge_graph_message(draft->message, call.mailbox, quirks());
  if (wrong) return graph_answer(*wrong);
  call.details.emplace_back("attachments", std::to_string(draft->attachments.size()));
  return with_fault(struck(call.event, &draft->message), [&] {
    const std::optional<GraphError> refused = keep(call, draft->message, draft->attachments);
    if (refused) return graph_answer(*refused);
    // It goes to Sent Items, where it has another id.
    drafts_.remove(call.mailbox.name, draft->id);
    return plain(202);
  });
}

}  // namespace sandbox
