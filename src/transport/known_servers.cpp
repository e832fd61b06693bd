#include "transport/known_servers.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/file.h"
#include "base/seal.h"
#include "base/text.h"

namespace transport {

namespace {

constexpr std::size_t most_servers = 64;
constexpr std::size_t most_sessions = 4;
constexpr std::size_t file_limit = std::size_t{32} * 1024;
constexpr std::int64_t refusal_life_s = 86'400;
constexpr std::string_view session_mark = "MBT1";
constexpr const char* session_kind = "tls-";

const char* kind_of(KnownServers::Refusal what) {
  return what == KnownServers::Refusal::chunks ? "no-chunks-" : "no-initial-response-";
}

// Ours, closed to others, one name, and no link. -1: not so, or somebody else is at it.
base::Fd open_own(const std::string& path) {
  base::Fd file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat facts {};
  const bool sound = file.open() && flock(file.get(), LOCK_EX | LOCK_NB) == 0 &&
                     fstat(file.get(), &facts) == 0 && S_ISREG(facts.st_mode) &&
                     facts.st_uid == geteuid() && (facts.st_mode & 077) == 0 && facts.st_nlink == 1;
  if (!sound) file.reset();
  return file;
}

// "MBT1 VERIFIED EXPIRES\n" and the session.
std::optional<net::TlsSession> parse(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::vector<std::string> words = base::words(text.substr(0, end));
  net::TlsSession out;
  if (words.size() != 3 || words[0] != session_mark ||
      !base::parse_number(words[1], 0, INT64_MAX, out.verified_s) ||
      !base::parse_number(words[2], 0, INT64_MAX, out.expires_s)) {
    return std::nullopt;
  }
  out.bytes = base::Secret(text.substr(end + 1));
  return out;
}

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

}  // namespace

KnownServers::KnownServers(Where where, const std::string& folder) : where_(where) {
  if (where == Where::folder && base::runtime_folder_ready(folder)) folder_ = folder;
}

std::string KnownServers::file_of(const char* kind, const std::string& words) const {
  return folder_ + "/" + kind + base::sha256_hex(words);
}

KnownServers::Shelf& KnownServers::shelf(const std::string& words) {
  if (shelves_.size() >= most_servers && !shelves_.contains(words)) shelves_.clear();
  return shelves_[words];
}

std::optional<net::TlsSession> KnownServers::take(const std::string& words) {
  if (where_ == Where::memory) {
    const std::lock_guard<std::mutex> hold(lock_);
    std::vector<net::TlsSession>& sessions = shelf(words).sessions;
    if (sessions.empty()) return std::nullopt;
    net::TlsSession newest = std::move(sessions.back());
    sessions.pop_back();
    return newest;
  }
  if (folder_.empty()) return std::nullopt;
  const std::string path = file_of(session_kind, words);
  const base::Fd file = open_own(path);
  // Of two that opened it, the one with the lock takes it: for the other it has no name any more.
  if (!file.open() || unlink(path.c_str()) != 0) return std::nullopt;
  base::Result<base::Secret> bytes = base::read_secret(file.get(), file_limit, path);
  if (!bytes) return std::nullopt;
  return parse(bytes->reveal());
}

void KnownServers::keep(const std::string& words, net::TlsSession session) {
  if (where_ == Where::memory) {
    const std::lock_guard<std::mutex> hold(lock_);
    std::vector<net::TlsSession>& sessions = shelf(words).sessions;
    if (sessions.size() >= most_sessions) sessions.erase(sessions.begin());
    sessions.push_back(std::move(session));
    return;
  }
  if (folder_.empty() || session.bytes.size() >= file_limit / 2) return;
  base::Secret text(std::string(session_mark) + " " + std::to_string(session.verified_s) + " " +
                    std::to_string(session.expires_s) + "\n");
  text.append(session.bytes.reveal());
  // Not kept, and the next connection makes a whole handshake.
  static_cast<void>(
      base::replace_file(file_of(session_kind, words), text.reveal(), 0600, base::Durable::no)
          .ok());
  sweep(net::session_life_s);
}

bool KnownServers::refuses(const std::string& server, Refusal what) const {
  const std::int64_t since = base::wall_seconds() - refusal_life_s;
  if (where_ == Where::memory) {
    const std::lock_guard<std::mutex> hold(lock_);
    const auto found = shelves_.find(server);
    if (found == shelves_.end()) return false;
    const auto noted = found->second.refused_s.find(what);
    return noted != found->second.refused_s.end() && noted->second > since;
  }
  struct stat facts {};
  return !folder_.empty() && lstat(file_of(kind_of(what), server).c_str(), &facts) == 0 &&
         S_ISREG(facts.st_mode) && facts.st_mtim.tv_sec > since;
}

void KnownServers::note(const std::string& server, Refusal what) {
  if (where_ == Where::memory) {
    const std::lock_guard<std::mutex> hold(lock_);
    shelf(server).refused_s[what] = base::wall_seconds();
  } else if (!folder_.empty()) {
    static_cast<void>(
        base::replace_file(file_of(kind_of(what), server), "", 0600, base::Durable::no).ok());
  }
}

void KnownServers::forget_sessions() {
  {
    const std::lock_guard<std::mutex> hold(lock_);
    for (auto& [words, shelf] : shelves_) shelf.sessions.clear();
  }
  if (!folder_.empty()) sweep(-1);
}

// Sessions of servers that are not called any more would lie there for good.
void KnownServers::sweep(std::int64_t older_than_s) const {
  const std::unique_ptr<DIR, CloseFolder> folder(opendir(folder_.c_str()));
  if (!folder) return;
  while (const dirent* entry = readdir(folder.get())) {
    if (!std::string_view(entry->d_name).starts_with(session_kind)) continue;
    struct stat facts {};
    const bool old =
        fstatat(dirfd(folder.get()), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
        (older_than_s < 0 || facts.st_mtim.tv_sec < base::wall_seconds() - older_than_s);
    if (old) unlinkat(dirfd(folder.get()), entry->d_name, 0);
  }
}

}  // namespace transport
