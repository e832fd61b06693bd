// The half of the session that takes a message: BDAT, X-FILE and DATA, to the verdict.
#include <cstdint>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "submit/session.h"

namespace submit {

using base::Done;
using base::done;

Session::Data::Data() = default;

void Session::begin_data(std::string refusal) {
  data_.emplace();
  data_->refusal = std::move(refusal);
  data_->dots = Dots(crlf_ ? Dots::Ends::crlf : Dots::Ends::lf);
}

// BDAT n LAST, once: the handover has one chunk (design section 2).
void Session::begin_chunk(const std::string& rest) {
  const std::vector<std::string> words = base::words(rest);
  std::int64_t count = 0;
  if (rules_.takes_files && words.size() == 3 && words[0] == "0" && words[1] == "LAST" &&
      words[2] == "X-FILE") {
    return take_file();
  }
  const bool sound = words.size() == 2 && base::same_ignoring_case(words[1], "LAST") &&
                     base::parse_number(words[0], 0, INT64_MAX, count);
  if (!sound) {
    // Without the count the end of the data is unknown: the session cannot go on.
    refuse("501", "5.5.4 BDAT takes a count and LAST", 76);
    ended_ = true;
    return;
  }
  begin_data(data_refusal());
  data_->left = static_cast<std::uint64_t>(count);
  state_ = State::chunk;
  if (count == 0) end_data();
}

void Session::begin_content(const std::string& rest) {
  const std::string refusal = rest.empty() ? data_refusal() : "5.5.4 DATA takes no parameter";
  // Nobody who is refused here sends the content: there is nothing to be heard and dropped.
  if (!refusal.empty()) return refuse(rest.empty() ? "503" : "501", refusal, 76);
  begin_data({});
  state_ = State::content;
  reply("354 End with a line that holds a dot alone");
}

void Session::keep(std::string_view piece) {
  data_->heard += piece.size();
  const std::uint64_t limit = rules_.size_limit_bytes;
  const bool wanted = data_->refusal.empty() && (limit == 0 || data_->heard <= limit);
  if (wanted && data_->taken.ok()) data_->taken = data_->normal.feed(piece);
}

std::size_t Session::take_piece(std::string_view bytes) {
  const std::string_view piece = bytes.substr(0, data_->left);
  keep(piece);
  data_->left -= piece.size();
  if (data_->left == 0) end_data();
  return piece.size();
}

std::size_t Session::take_content(std::string_view bytes) {
  const std::size_t taken =
      data_->dots.feed(bytes, [this](std::string_view piece) { keep(piece); });
  if (data_->dots.ended()) end_data();
  return taken;
}

void Session::end_data() {
  state_ = State::command;
  if (!data_->refusal.empty()) {
    refuse("503", data_->refusal, 76);
    forget();
    return;
  }
  if (data_->taken.ok()) data_->taken = data_->normal.finish();
  const std::uint64_t limit = rules_.size_limit_bytes;
  const bool too_big = limit > 0 && data_->heard > limit;
  const Done taken = std::move(data_->taken);
  finish(std::move(data_->bytes), taken, too_big);
}

// BDAT 0 LAST X-FILE: the message lies in the file that came with these words, in the normal form.
void Session::take_file() {
  base::Fd file = file_ ? file_() : base::Fd();
  const std::string refusal = data_refusal();
  if (!refusal.empty()) {
    refuse("503", refusal, 76);
    forget();
    return;
  }
  base::Result<base::Scratch> bytes = base::Scratch::adopt(std::move(file));
  if (!bytes) return finish({}, std::move(bytes).error(), false);
  const std::uint64_t limit = rules_.size_limit_bytes;
  const bool too_big = limit > 0 && bytes->size_bytes() > limit;
  finish(std::move(*bytes), done(), too_big);
}

void Session::finish(base::Scratch bytes, const Done& taken, bool too_big) {
  base::Result<mail::Message> message = mail::Message();
  if (too_big) {
    refuse("552",
           "5.3.4 not sent: message over " + std::to_string(rules_.size_limit_bytes) + " bytes",
           65);
  } else if (!taken) {
    refuse("451", "4.3.0 not sent: " + taken.error().cause,
           taken.error().fault == base::Fault::io ? 74 : 73);
  } else if (message = mail::split(std::move(bytes)); !message) {
    refuse("554", "5.6.0 not sent: " + message.error().cause, 65);
  } else {
    submission_.message = std::move(*message);
    submission_.id = own_.id.empty() ? base::random_hex(16) : own_.id;
    submission_.peer = rules_.peer;
    submission_.asked_account = own_.account;
    submission_.verify = own_.verify;
    submission_.at = base::wall_seconds();
    waits_ = true;
    return;
  }
  forget();
}

mail::Submission Session::take_submission() {
  data_.reset();
  taken_ = true;
  mail::Submission taken = std::move(submission_);
  submission_ = mail::Submission();
  submission_.id = taken.id;
  return taken;
}

void Session::trace(std::string_view line) {
  reply("150 " + base::clean(line, 900));
}

bool Session::leaving() const {
  constexpr std::string_view quit = "QUIT";
  const std::string_view begin = std::string_view(input_).substr(0, quit.size());
  return !begin.empty() && base::same_ignoring_case(begin, quit.substr(0, begin.size()));
}

void Session::answer(const Verdict& verdict) {
  waits_ = false;
  taken_ = false;
  if (verdict.exit == 0) {
    reply("250 2.0.0 Ok: queued as " + submission_.id + (front_end() ? " x=0" : ""));
  } else {
    refuse(verdict.may_help_to_repeat ? "451" : "554",
           (verdict.may_help_to_repeat ? "4.3.0 " : "5.0.0 ") + verdict.text, verdict.exit);
  }
  forget();
  const std::string later = std::exchange(input_, {});
  if (!later.empty()) hear(later);
}

}  // namespace submit
