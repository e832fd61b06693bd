#include "queue/holds.h"

#include <algorithm>

#include "base/text.h"

namespace queue {

void Holds::begin(QueueMs now_ms, base::Error why) {
  why_ = std::move(why);
  if (held_) return;
  held_ = true;
  since_ms_ = now_ms;
}

void Holds::end(QueueMs now_ms) {
  if (!held_) return;
  held_ = false;
  past_.emplace_back(since_ms_, now_ms);
  if (past_.size() > most) past_.erase(past_.begin());
}

QueueMs Holds::within(QueueMs from_ms, QueueMs now_ms) const {
  QueueMs sum = held_ ? std::max<QueueMs>(0, now_ms - std::max(from_ms, since_ms_)) : 0;
  for (const auto& [begin, end] : past_) {
    sum += std::max<QueueMs>(0, std::min(end, now_ms) - std::max(begin, from_ms));
  }
  return sum;
}

void Holds::pack(Pack& pack) const {
  pack.flag(held_).i64(since_ms_).u8(static_cast<std::uint8_t>(why_.fault));
  pack.text(base::clean(why_.cause)).text(base::clean(why_.cure)).text(base::clean(why_.said));
  pack.u32(static_cast<std::uint32_t>(past_.size()));
  for (const auto& [begin, end] : past_) pack.i64(begin).i64(end);
}

void Holds::unpack(Unpack& unpack) {
  held_ = unpack.flag();
  since_ms_ = unpack.i64();
  const std::uint8_t fault = unpack.u8();
  if (fault > static_cast<std::uint8_t>(base::Fault::sign_in_needed)) unpack.fail();
  why_ = base::failure(static_cast<base::Fault>(fault), base::clean(unpack.text()));
  why_.kind = base::FaultClass::hold;
  why_.cure = base::clean(unpack.text());
  why_.said = base::clean(unpack.text());
  const std::uint32_t count = unpack.count(16);
  for (std::uint32_t i = 0; i < count && unpack.ok(); ++i) {
    const QueueMs begin = unpack.i64();
    past_.emplace_back(begin, unpack.i64());
  }
}

}  // namespace queue
