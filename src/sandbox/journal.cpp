#include "sandbox/journal.h"

#include <fcntl.h>

#include <cerrno>

#include "base/clock.h"
#include "base/seal.h"
#include "sandbox/json.h"

namespace sandbox {

base::Result<Journal> Journal::open(const std::string& path) {
  Journal journal;
  if (path.empty()) return journal;
  journal.file_.reset(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!journal.file_.open()) {
    return base::failure_errno(base::Fault::cannot_create, "cannot create " + path, errno);
  }
  return journal;
}

void Journal::note(const std::string& event, const Details& details) {
  Json line = {{"time", base::wall_seconds()}, {"event", event}};
  std::string outcome;
  for (const auto& [name, value] : details) {
    line[name] = value.substr(0, 4096);
    if (name == "outcome") outcome = value;
  }
  const std::string text = write_json(line) + "\n";
  const std::lock_guard lock(mutex_);
  ++counts_[event];
  if (!outcome.empty()) ++counts_[event + " " + outcome];
  // A full disk must not end the dialogue; the counts are right all the same.
  if (file_.open()) static_cast<void>(base::write_all(file_.get(), text, "journal.jsonl").ok());
}

std::map<std::string, std::uint64_t> Journal::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::uint64_t Journal::count(const std::string& what) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(what);
  return found == counts_.end() ? 0 : found->second;
}

void Journal::forget_counts() {
  const std::lock_guard lock(mutex_);
  counts_.clear();
}

std::string token_mark(std::string_view token) {
  return base::sha256_hex(token).substr(0, 16);
}

}  // namespace sandbox
