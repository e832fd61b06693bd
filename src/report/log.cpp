#include "report/log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstring>
#include <ctime>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

namespace report {

namespace {

constexpr const char* ident = "mailbearer";
// syslog(3): facility mail; warning and informational.
constexpr int facility = 2;
constexpr int error = 3;
constexpr int warning = 4;
constexpr int informational = 6;
// Half of what every local syslog daemon takes at the least.
constexpr std::size_t datagram_limit = 4096;

int level(const LogLine& line) {
  if (line.urgent) return error;
  return line.good ? informational : warning;
}

bool post(const std::string& path, std::string_view datagram) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const base::Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.open()) return false;
  const ssize_t sent =
      sendto(socket.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return sent == static_cast<ssize_t>(datagram.size());
}

// RFC 3164 4.1.2: local time, in English.
std::string syslog_date() {
  const auto now = static_cast<std::time_t>(base::wall_seconds());
  std::tm parts{};
  localtime_r(&now, &parts);
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%b %e %H:%M:%S ", &parts)};
}

// RFC 3339, in UTC.
std::string file_date() {
  const auto now = static_cast<std::time_t>(base::wall_seconds());
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ ", &parts)};
}

std::string tagged(const LogLine& line) {
  std::string text = line.text();
  if (text.size() > datagram_limit - 128) text.resize(datagram_limit - 128);
  return std::string(ident) + "[" + std::to_string(getpid()) + "]: " + text;
}

std::string journal_name(const std::string& name) {
  std::string out = "MAILBEARER_";
  for (const char c : name) {
    out += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return out;
}

}  // namespace

bool Log::to_journal(const LogLine& line) const {
  std::string text = "MESSAGE=" + line.text() + "\nPRIORITY=" + std::to_string(level(line)) +
                     "\nSYSLOG_FACILITY=" + std::to_string(facility) +
                     "\nSYSLOG_IDENTIFIER=" + ident + "\n";
  for (const auto& [name, value] : line.fields) {
    text += journal_name(name) + "=" + base::clean(value, value.size() * 4) + "\n";
  }
  return post(places_.journal, text);
}

bool Log::to_syslog(const LogLine& line) const {
  return post(places_.syslog, "<" + std::to_string(facility * 8 + level(line)) + ">" +
                                  syslog_date() + tagged(line));
}

void Log::to_stderr(const LogLine& line) {
  const std::string text = tagged(line) + "\n";
  static_assert(datagram_limit <= PIPE_BUF);
  pollfd ready{STDERR_FILENO, POLLOUT, 0};
  if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) return;
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

void Log::to_file(const LogLine& line) const {
  // A link is followed to a stream of the process or the container only, not from /tmp to anywhere.
  const bool device = place_.rfind("/dev/", 0) == 0 || place_.rfind("/proc/", 0) == 0;
  const base::Fd file(open(
      place_.c_str(),
      O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (device ? 0 : O_NOFOLLOW),
      0600));
  if (!file.open()) return;
  struct stat facts {};
  if (fstat(file.get(), &facts) != 0) return;
  if (!S_ISREG(facts.st_mode) && !S_ISFIFO(facts.st_mode) && !S_ISCHR(facts.st_mode)) return;
  const std::string text = file_date() + tagged(line) + "\n";
  // One write: lines of processes that log at once do not mix.
  [[maybe_unused]] const ssize_t written = write(file.get(), text.data(), text.size());
}

void Log::attempt(const Attempt& attempt) const {
  if (place_ == "none" || attempt.fates == nullptr) return;
  for (const LogLine& line : lines_of(attempt, addresses_)) note(line);
}

void Log::note(const LogLine& line) const {
  if (place_ == "none") return;
  if (place_ == "stderr") {
    to_stderr(line);
  } else if (!place_.empty() && place_.front() == '/') {
    to_file(line);
  } else if (place_ == "syslog") {
    to_syslog(line);
  } else if (!to_journal(line) && place_.empty()) {
    to_syslog(line);
  }
}

}  // namespace report
