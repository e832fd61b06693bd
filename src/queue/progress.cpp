#include "queue/progress.h"

#include <algorithm>

namespace queue {

QueueMs Progress::due_ms() const {
  QueueMs due = INT64_MAX;
  for (const RecipientState& one : recipients) {
    if (one.state == State::waiting) due = std::min(due, next_ms);
    if (one.state == State::unknown || one.state == State::trying)
      due = std::min(due, next_unknown_ms);
    if (one.state == State::refused && !one.told) return 0;
  }
  return due;
}

std::size_t Progress::count(State state) const {
  return static_cast<std::size_t>(
      std::count_if(recipients.begin(), recipients.end(),
                    [state](const RecipientState& one) { return one.state == state; }));
}

const base::Error* Progress::reply_to(std::size_t recipient) const {
  const std::uint32_t reply = recipients.at(recipient).reply;
  return reply < replies.size() ? &replies[reply] : nullptr;
}

bool Progress::finished() const {
  return std::all_of(recipients.begin(), recipients.end(), [](const RecipientState& one) {
    return one.state == State::delivered || (one.state == State::refused && one.told);
  });
}

}  // namespace queue
