// message_id_store: the ids that a provider gave our messages, in a file an account: one line a
// message, "SECONDS <ours> <theirs>", the newest at the end.
// Source: design section 4. Owns: PATH, and PATH.lock, both 0600, in a folder that it makes.
// Limits: kept 30 days; 3 MiB (some 25,000 messages), beyond which the oldest go. Cost: a lookup
// reads the file once, in pieces; remembering appends a line, and writes the file anew when a third
// of it is stale. Not synced: after a crash of the machine the newest lines may be gone, and with
// them a thread, no message. Errors: none; a store that cannot be read or written is an empty one.
// Trusts: nothing in the file, and the file only in folders that others cannot write.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace transport {

using KnownIds = std::map<std::string, std::string, std::less<>>;

class MessageIdStore {
 public:
  explicit MessageIdStore(std::string path);  // absolute

  // Those of `ids` that are known, with their new ids. `now`: wall clock, in seconds.
  KnownIds lookup(const std::vector<std::string>& ids, std::int64_t now) const;
  // Keeps the pair; false: it could not be kept.
  bool remember(std::string_view ours, std::string_view theirs, std::int64_t now) const;

 private:
  bool append(int fd, const std::string& line) const;
  bool rewrite(int fd, const std::string& line, std::int64_t now) const;

  std::string path_;
};

}  // namespace transport
