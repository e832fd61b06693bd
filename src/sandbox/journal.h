// journal: what happened, one JSON object a line, in DIR/journal.jsonl, and how often.
// Owns: the file. Threads: any. Limits: a value is cut at 4 KiB. No secret is written: callers give
// the hash of a token, never the token.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace sandbox {

using Details = std::vector<std::pair<std::string, std::string>>;

class Journal {
 public:
  // Appends to `path`, made 0600. An empty path keeps the counts only.
  static base::Result<Journal> open(const std::string& path);
  Journal(Journal&& other) noexcept : file_(std::move(other.file_)) {}

  // `event` is a dotted word ("smtp.mail"). The event is counted, and "event outcome" too when the
  // details hold an outcome.
  void note(const std::string& event, const Details& details = {});
  std::map<std::string, std::uint64_t> counts() const;
  std::uint64_t count(const std::string& what) const;
  void forget_counts();

 private:
  Journal() = default;
  base::Fd file_;
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> counts_;
};

// The first 16 digits of the SHA-256: enough to see whether two tokens are the same.
std::string token_mark(std::string_view token);

}  // namespace sandbox
