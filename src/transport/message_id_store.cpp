#include "transport/message_id_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "mail/message_ids.h"

namespace transport {

namespace {

constexpr std::int64_t keep_s = std::int64_t{30} * 24 * 3600;
// A line from further ahead was written by a clock that was wrong.
constexpr std::int64_t clock_slack_s = std::int64_t{24} * 3600;
constexpr std::size_t size_limit = std::size_t{3} * 1024 * 1024;
constexpr std::size_t small_file = 4096;  // not worth writing anew
constexpr std::size_t line_limit = 2 * mail::message_id_limit + 32;
constexpr std::int64_t lock_wait_ms = 1000;

struct Entry {
  std::string_view seconds{};
  std::string_view ours{};
  std::string_view theirs{};
};

// The parts of a line, not judged yet. One that was cut short lacks its last bracket.
std::optional<Entry> entry_of(std::string_view line) {
  const std::size_t first = line.find(" <");
  const std::size_t middle = line.find("> <");
  if (first == std::string_view::npos || middle == std::string_view::npos || middle < first + 2 ||
      line.size() < middle + 4 || line.size() > line_limit || line.back() != '>') {
    return std::nullopt;
  }
  return Entry{line.substr(0, first), line.substr(first + 2, middle - first - 2),
               line.substr(middle + 3, line.size() - middle - 4)};
}

bool holds(const Entry& entry, std::int64_t now) {
  std::int64_t at = 0;
  return base::parse_number(entry.seconds, 0, INT64_MAX / 2, at) && at <= now + clock_slack_s &&
         at > now - keep_s && mail::is_message_id(entry.ours) && mail::is_message_id(entry.theirs);
}

// An ordinary file of our own that nobody else may write. O_NONBLOCK: a fifo must not hang us.
base::Fd open_own(const std::string& path, int flags, std::size_t& size) {
  base::Fd fd(open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                   S_IRUSR | S_IWUSR));
  struct stat facts {};
  if (!fd.open() || fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode) ||
      facts.st_uid != geteuid() || facts.st_nlink != 1 ||
      (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return {};
  }
  size = static_cast<std::size_t>(facts.st_size);
  return fd;
}

ssize_t read_some(int fd, char* into, std::size_t count, std::size_t at) {
  for (;;) {
    const ssize_t got = pread(fd, into, count, static_cast<off_t>(at));
    if (got >= 0 || errno != EINTR) return got;
  }
}

// The lines of the last octets, without their ends. Too long ones are left out.
void each_line(int fd, std::size_t size, std::size_t last_octets,
               const std::function<void(std::string_view)>& take) {
  std::array<char, std::size_t{16} * 1024> buffer{};
  std::size_t at = size > last_octets ? size - last_octets : 0;
  bool skip = at > 0;  // the rest of a line that began before
  std::string rest;
  while (at < size) {
    const ssize_t got = read_some(fd, buffer.data(), std::min(buffer.size(), size - at), at);
    if (got <= 0) break;
    at += static_cast<std::size_t>(got);
    std::string_view piece(buffer.data(), static_cast<std::size_t>(got));
    for (std::size_t end = piece.find('\n'); end != std::string_view::npos;
         end = piece.find('\n')) {
      if (!skip) take(rest.append(piece.substr(0, end)));
      skip = false;
      rest.clear();
      piece.remove_prefix(end + 1);
    }
    if (rest.size() + piece.size() > line_limit) skip = true;
    if (!skip) rest.append(piece);
  }
  if (!skip && !rest.empty()) take(rest);
}

// Lines are in the order of time: when the one at a third of the file is stale, so is that third.
// One that is no line tells of a damaged file.
bool is_worn(int fd, std::size_t size, std::int64_t now) {
  if (size > size_limit) return true;
  if (size < small_file) return false;
  std::array<char, 2 * line_limit> window{};
  const ssize_t got = read_some(fd, window.data(), window.size(), size / 3);
  if (got <= 0) return true;
  const std::string_view text(window.data(), static_cast<std::size_t>(got));
  const std::size_t begin = text.find('\n');
  if (begin == std::string_view::npos) return true;
  const std::size_t end = text.find('\n', begin + 1);
  if (end == std::string_view::npos) return true;
  const std::optional<Entry> entry = entry_of(text.substr(begin + 1, end - begin - 1));
  return !entry || !holds(*entry, now);
}

}  // namespace

MessageIdStore::MessageIdStore(std::string path) : path_(std::move(path)) {}

KnownIds MessageIdStore::lookup(const std::vector<std::string>& ids, std::int64_t now) const {
  KnownIds known;
  if (ids.empty() || !base::judge_folder(base::folder_of(path_))) return known;
  std::size_t size = 0;
  const base::Fd file = open_own(path_, O_RDONLY, size);
  if (!file.open()) return known;
  for (const std::string& id : ids) known.try_emplace(id);
  each_line(file.get(), size, size_limit, [&](std::string_view line) {
    const std::optional<Entry> entry = entry_of(line);
    if (!entry) return;
    const auto wanted = known.find(entry->ours);
    if (wanted == known.end() || !holds(*entry, now)) return;
    wanted->second = entry->theirs;  // the newest stands
  });
  std::erase_if(known, [](const auto& one) { return one.second.empty(); });
  return known;
}

bool MessageIdStore::remember(std::string_view ours, std::string_view theirs,
                              std::int64_t now) const {
  if (!mail::is_message_id(ours) || !mail::is_message_id(theirs)) return false;
  const std::string folder = base::folder_of(path_);
  if (!base::make_folders(folder, 0700) || !base::judge_folder(folder)) return false;
  const base::Result<base::Fd> lock = base::lock_file(path_ + ".lock", lock_wait_ms);
  if (!lock) return false;
  const std::string line =
      std::to_string(now) + " <" + std::string(ours) + "> <" + std::string(theirs) + ">\n";
  std::size_t size = 0;
  const base::Fd file = open_own(path_, O_RDWR | O_APPEND | O_CREAT, size);
  if (!file.open() || is_worn(file.get(), size, now)) {
    if (rewrite(file.get(), line, now)) return true;
    if (!file.open() || size > size_limit) return false;
  }
  return append(file.get(), line);
}

bool MessageIdStore::append(int fd, const std::string& line) const {
  struct stat facts {};
  if (fstat(fd, &facts) != 0) return false;
  // A line that a crash cut short must not swallow this one.
  char last = '\n';
  const auto size = static_cast<std::size_t>(facts.st_size);
  if (size > 0 && read_some(fd, &last, 1, size - 1) != 1) return false;
  return base::write_all(fd, last == '\n' ? line : "\n" + line, path_).ok();
}

// The lines that still hold, of a full file the newest two thirds: lines are in the order of time.
// `fd` -1: what stands there is not ours.
bool MessageIdStore::rewrite(int fd, const std::string& line, std::int64_t now) const {
  std::string kept;
  struct stat facts {};
  if (fd >= 0 && fstat(fd, &facts) == 0) {
    const auto size = static_cast<std::size_t>(facts.st_size);
    constexpr std::size_t room = size_limit / 3 * 2;
    kept.reserve(std::min(size, room) + line.size());
    each_line(fd, size, room, [&](std::string_view one) {
      const std::optional<Entry> entry = entry_of(one);
      if (entry && holds(*entry, now)) kept.append(one).append("\n");
    });
  }
  return base::replace_file(path_, kept += line, S_IRUSR | S_IWUSR).ok();
}

}  // namespace transport
