#include "transport/graph_session.h"

#include <algorithm>
#include <utility>

namespace transport {

namespace {

using Again = GraphStep::Again;

// 320 KiB times twelve: below 4 MB, and what other upload services of the provider insist on.
constexpr std::uint64_t slice_bytes = std::uint64_t{12} * 320 * 1024;
// Documented as "3 MB"; by Graph's own answer, if it counts otherwise.
constexpr std::uint64_t session_minimum = 3'000'000;
constexpr std::string_view too_small = "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize";
constexpr int sessions_limit = 4;
constexpr int failures_limit = 8;

std::vector<std::pair<const char*, std::string>> words_of(const mail::SplitPart& part) {
  return {{"name", part.name},
          {"type", part.type},
          {"content_id", part.content_id},
          {"inline", part.is_inline ? "1" : "0"},
          {"size", std::to_string(part.size)}};
}

bool gone(const StepAnswer& answer) {
  return answer.verdict.status == 404 || answer.verdict.status == 410;
}

base::Error gone_draft() {
  return base::failure(base::Fault::unavailable, "its draft was removed while it was uploaded",
                       "try again");
}

base::Error error_of(base::Result<StepAnswer> answer) {
  if (!answer) return not_sent(std::move(answer).error());
  if (gone(*answer)) return gone_draft();
  if (answer->verdict.status < 300) {
    return base::failure(base::Fault::protocol, "Graph gave an answer that was not expected (" +
                                                    std::to_string(answer->verdict.status) + ")");
  }
  return not_sent(std::move(answer->verdict.judged.error));
}

bool unsure(const base::Result<StepAnswer>& answer) {
  if (answer) return may_have_been_done(answer->verdict);
  return answer.error().fault == base::Fault::outcome_unknown;
}

base::Result<bool> attach_at_once(GraphSteps& steps, const AttachmentPlace& place,
                                  const mail::SplitPart& part) {
  GraphStep step{"attach", place.draft_url + "/attachments"};
  step.fields = words_of(part);
  step.fields.emplace_back("offset", std::to_string(part.offset));
  step.with_file = true;
  step.bytes = part.size * 4 / 3;
  step.again = Again::if_refused;
  base::Result<StepAnswer> answer = steps.make(step);
  if (answer && answer->verdict.status == 201) return true;
  // It may be there now: once more would make two of it.
  if (unsure(answer)) return false;
  return error_of(std::move(answer));
}

// One session, from its first slice to its last.
class Session {
 public:
  enum class End : std::uint8_t { attached, expired, unclear };

  Session(GraphSteps& steps, const base::Secret& url, const mail::SplitPart& part,
          const std::function<void(std::uint64_t)>& passed)
      : steps_(steps), url_(url), part_(part), passed_(passed) {}

  base::Result<End> run() {
    while (at_ < part_.size) {
      const std::uint64_t size = std::min(slice_bytes, part_.size - at_);
      const bool last = at_ + size == part_.size;
      sent_ = std::max(sent_, at_ + size);
      base::Result<StepAnswer> answer = put(size);
      const int status = answer ? answer->verdict.status : 0;
      if (last && status == 201) return End::attached;
      if (status == 200 || status == 201 || status == 202) {
        go_to(answer->next.value_or(at_ + size));
        if (failures_ > failures_limit) return error_of(std::move(answer));
        continue;
      }
      if (answer && gone(*answer)) return end_of_session();
      last_unclear_ = last_unclear_ || (last && unsure(answer));
      base::Result<std::optional<End>> next = recover(std::move(answer));
      if (!next) return std::move(next).error();
      if (*next) return **next;
    }
    return End::attached;
  }

 private:
  base::Result<StepAnswer> put(std::uint64_t size) {
    GraphStep step{"slice"};
    step.upload_url = &url_;
    step.fields = {{"offset", std::to_string(part_.offset + at_)},
                   {"size", std::to_string(size)},
                   {"begin", std::to_string(at_)},
                   {"total", std::to_string(part_.size)}};
    step.with_file = true;
    step.bytes = size;
    step.again = Again::never;
    return steps_.make(step);
  }

  // Behind a broken slice: a pause, and where to go on.
  base::Result<std::optional<End>> recover(base::Result<StepAnswer> broken) {
    const int status = broken ? broken->verdict.status : 0;
    const bool passing = status == 0 || status == 408 || status == 409 || status == 416 ||
                         status == 429 || status >= 500;
    const std::int64_t asked = broken ? broken->verdict.judged.error.retry_after_s : 0;
    base::Done going = steps_.may_go_on();
    if (!going) return std::move(going).error();
    if (!passing || ++failures_ > failures_limit || !steps_.wait(asked, failures_)) {
      return error_of(std::move(broken));
    }
    GraphStep step{"ranges"};
    step.upload_url = &url_;
    base::Result<StepAnswer> answer = steps_.make(step);
    if (answer && gone(*answer)) return std::optional<End>(end_of_session());
    if (!answer || answer->verdict.status != 200) return error_of(std::move(answer));
    // It may have all of it, or the answer is no one's who knows: a part may be missing.
    if (!answer->next && last_unclear_) return std::optional<End>(End::unclear);
    go_to(answer->next.value_or(at_));
    return std::optional<End>();
  }

  // A session that is complete exists no more, as one that has expired.
  End end_of_session() const { return last_unclear_ ? End::unclear : End::expired; }

  // Never behind what was sent, whatever the server says: a part with a hole would go out. Going
  // back and forth is not getting on.
  void go_to(std::uint64_t next) {
    at_ = std::min(next, sent_);
    failures_ = at_ > furthest_ ? 0 : failures_ + 1;
    furthest_ = std::max(furthest_, at_);
    passed_(at_);
  }

  GraphSteps& steps_;
  const base::Secret& url_;
  const mail::SplitPart& part_;
  const std::function<void(std::uint64_t)>& passed_;
  std::uint64_t at_ = 0;
  std::uint64_t sent_ = 0;      // how far slices may have reached the server
  std::uint64_t furthest_ = 0;  // where at_ has been
  int failures_ = 0;            // without getting on
  bool last_unclear_ = false;
};

}  // namespace

base::Result<bool> attach(GraphSteps& steps, const AttachmentPlace& place,
                          const mail::SplitPart& part,
                          const std::function<void(std::uint64_t)>& passed) {
  if (part.size < session_minimum) return attach_at_once(steps, place, part);
  for (int sessions = 0; sessions < sessions_limit; ++sessions) {
    GraphStep step{"session", place.draft_url + "/attachments/createUploadSession"};
    step.fields = words_of(part);
    step.fields.emplace_back("upload_hosts", place.upload_hosts);
    base::Result<StepAnswer> session = steps.make(step);
    if (session && session->verdict.code == too_small) return attach_at_once(steps, place, part);
    const bool made = session && session->verdict.status == 201 && !session->upload_url.empty();
    if (!made) return error_of(std::move(session));
    base::Result<Session::End> end = Session(steps, session->upload_url, part, passed).run();
    if (!end) return std::move(end).error();
    if (*end == Session::End::attached) return true;
    if (*end == Session::End::unclear) return false;
  }
  return base::failure(base::Fault::unavailable, "upload sessions of Graph expire too early",
                       "try again");
}

}  // namespace transport
