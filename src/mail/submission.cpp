#include "mail/submission.h"

#include <utility>

namespace mail {

base::Result<Submission> twin_of(const Submission& submission) {
  base::Result<base::Scratch> bytes = submission.message.bytes.share();
  if (!bytes) return std::move(bytes).error();
  Submission twin;
  twin.id = submission.id;
  twin.peer = submission.peer;
  twin.asked_account = submission.asked_account;
  twin.envelope = submission.envelope;
  twin.at = submission.at;
  const Message& from = submission.message;
  twin.message.header = from.header;
  twin.message.bytes = std::move(*bytes);
  twin.message.body_offset = from.body_offset;
  twin.message.body_is_8bit = from.body_is_8bit;
  twin.message.body_has_nul = from.body_has_nul;
  twin.message.body_has_long_line = from.body_has_long_line;
  return twin;
}

}  // namespace mail
