#include "sandbox/mailbox_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>

#include "base/clock.h"
#include "base/random.h"

namespace sandbox {

std::string envelope_lines(const EnvelopeFacts& envelope) {
  std::string lines = "X-Mailbearer-Sandbox: 1\r\nX-Envelope-From: " + envelope.from + "\r\n";
  for (const std::string& one : envelope.to) lines += "X-Envelope-To: " + one + "\r\n";
  lines += "X-Envelope-Params: " + envelope.parameters + "\r\n";
  for (std::size_t i = 0; i < envelope.to_parameters.size() && i < envelope.to.size(); ++i) {
    if (envelope.to_parameters[i].empty()) continue;
    lines += "X-Envelope-To-Params: " + envelope.to[i] + " " + envelope.to_parameters[i] + "\r\n";
  }
  return lines + "X-Auth-User: " + envelope.user + "\r\n";
}

base::Result<StoredMessage> StoredMessage::start(const std::string& maildir) {
  static std::atomic<std::uint64_t> serial{0};
  // Sorts by arrival within one second, too.
  std::string number = std::to_string(++serial);
  number.insert(0, number.size() < 9 ? 9 - number.size() : 0, '0');
  const std::string name = std::to_string(base::wall_seconds()) + "." + number + "P" +
                           std::to_string(getpid()) + "R" + base::random_hex(4) + ".sandbox";
  const std::string path = maildir + "/tmp/" + name;
  base::Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.open()) {
    return base::failure_errno(base::Fault::cannot_create, "cannot create " + path, errno);
  }
  return StoredMessage(std::move(file), maildir, name);
}

StoredMessage::~StoredMessage() {
  if (file_.open()) unlink((maildir_ + "/tmp/" + name_).c_str());
}

base::Done StoredMessage::write(std::string_view bytes) {
  return base::write_all(file_.get(), bytes, name_);
}

base::Done StoredMessage::keep() {
  const std::string from = maildir_ + "/tmp/" + name_;
  const std::string to = maildir_ + "/new/" + name_;
  if (rename(from.c_str(), to.c_str()) != 0) {
    return base::failure_errno(base::Fault::io, "cannot keep " + to, errno);
  }
  file_.reset();
  return base::done();
}

base::Done make_maildir(const std::string& maildir) {
  for (const char* part : {"/tmp", "/new", "/cur"}) {
    base::Done made = base::make_folders(maildir + part, 0700);
    if (!made) return made;
  }
  return base::done();
}

}  // namespace sandbox
