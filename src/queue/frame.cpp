#include "queue/frame.h"

#include <algorithm>

#include "queue/pack.h"

namespace queue {

namespace {
bool only_zeros(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
}
}  // namespace

std::string frame_head(std::string_view type, std::uint64_t length) {
  std::string out(type);
  out += Pack().u64(length).bytes();
  out += Pack().u32(crc32c(out)).bytes();
  return out;
}

std::string frame_tail(std::uint32_t crc) {
  return Pack().u32(crc).bytes();
}

std::string frame(std::string_view type, std::string_view payload) {
  std::string out = frame_head(type, payload.size());
  out.append(payload);
  return out + frame_tail(crc32c(payload));
}

Reading read_frame_head(std::string_view bytes, std::string_view& type, std::uint64_t& length) {
  if (only_zeros(bytes.substr(0, frame_head_bytes))) return Reading::cut;
  if (bytes.size() < frame_head_bytes) return Reading::cut;
  type = bytes.substr(0, 4);
  length = Unpack(bytes.substr(4, 8)).u64();
  const std::uint32_t crc = Unpack(bytes.substr(12, 4)).u32();
  return crc == crc32c(bytes.substr(0, 12)) ? Reading::whole : Reading::damaged;
}

Reading read_frame(std::string_view bytes, Frame& frame) {
  std::uint64_t length = 0;
  const Reading head = read_frame_head(bytes, frame.type, length);
  if (head != Reading::whole) {
    // A head that was cut is followed by nothing.
    const bool zeros = head == Reading::cut && only_zeros(bytes.substr(0, frame_head_bytes));
    return zeros && !only_zeros(bytes) ? Reading::damaged : head;
  }
  const std::string_view rest = bytes.substr(frame_head_bytes);
  if (rest.size() < 4 || rest.size() - 4 < length) return Reading::cut;
  const auto size = static_cast<std::size_t>(length);
  frame.payload = rest.substr(0, size);
  frame.size = frame_head_bytes + size + 4;
  if (Unpack(rest.substr(size, 4)).u32() == crc32c(frame.payload)) return Reading::whole;
  // The last record, with zeros where its end should be: the machine stopped while it was written.
  const bool last = bytes.size() == frame.size;
  return last && bytes.back() == '\0' ? Reading::cut : Reading::damaged;
}

}  // namespace queue
