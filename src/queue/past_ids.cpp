#include "queue/past_ids.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "base/text.h"
#include "queue/pack.h"

namespace queue {

namespace {

constexpr QueueMs remembered_ms = QueueMs{24} * 3600 * 1000;
constexpr std::size_t most = 100'000;
constexpr std::size_t row_bytes = 32;
constexpr std::size_t file_limit_bytes = std::size_t{64} << 20;

unsigned digit(char c) {
  return static_cast<unsigned>(base::is_digit(c) ? c - '0' : c - 'a' + 10) & 15U;
}

std::string short_form(const std::string& id) {
  std::string out;
  for (std::size_t i = 0; i + 1 < id.size(); i += 2)
    out += static_cast<char>(digit(id[i]) << 4 | digit(id[i + 1]));
  out.resize(16);
  return out;
}

std::string row_of(const std::string& id, uid_t uid, QueueMs at_ms) {
  const std::string body = id + Pack().u32(uid).i64(at_ms).bytes();
  return body + Pack().u32(crc32c(body)).bytes();
}

}  // namespace

void PastIds::remember(std::string id, Past past) {
  if (!ids_.insert_or_assign(id, past).second) return;
  order_.push_back(std::move(id));
  while (order_.size() > most) {
    ids_.erase(order_.front());
    order_.pop_front();
  }
}

// What is read is written anew, so that the file does not grow for ever.
void PastIds::open(const std::string& path, QueueMs now_ms) {
  const base::Fd old(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  base::Result<std::string> bytes = std::string();
  if (old.open()) bytes = base::read_all(old.get(), file_limit_bytes, path);
  std::string kept;
  for (std::size_t at = 0; bytes.ok() && at + row_bytes <= bytes->size(); at += row_bytes) {
    const std::string_view row = std::string_view(*bytes).substr(at, row_bytes);
    Unpack unpack(row.substr(16));
    const uid_t uid = unpack.u32();
    const QueueMs at_ms = unpack.i64();
    if (unpack.u32() != crc32c(row.substr(0, 28)) || at_ms + remembered_ms < now_ms) continue;
    remember(std::string(row.substr(0, 16)), {uid, at_ms});
    kept.append(row);
  }
  // Without a file they are known as long as we live.
  base::replace_file(path, kept, 0600, base::Durable::no).ok();
  file_ = base::Fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC));
}

void PastIds::add(const std::string& id, uid_t uid, QueueMs now_ms) {
  const std::string row = row_of(short_form(id), uid, now_ms);
  remember(row.substr(0, 16), {uid, now_ms});
  if (file_.open() &&
      write(file_.get(), row.data(), row.size()) != static_cast<ssize_t>(row.size())) {
    file_.reset();  // full: rows behind half a row could not be read
  }
}

bool PastIds::knows(const std::string& id, uid_t uid, QueueMs now_ms) const {
  const auto found = ids_.find(short_form(id));
  return found != ids_.end() && found->second.uid == uid &&
         found->second.at_ms + remembered_ms >= now_ms;
}

}  // namespace queue
