#include "net/helper_program.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <cerrno>

#include "base/clock.h"
#include "base/process.h"

namespace net {

namespace {
// A helper whose socket is closed has nothing left to do.
constexpr std::int64_t farewell_ms = 1000;
// Time for a large message on a slow disk; splitting 100 MB takes a few seconds.
constexpr std::int64_t reencode_ms = 120'000;
}  // namespace

HelperProgram::~HelperProgram() {
  channel_.reset();
  for (const pid_t child : children_)
    base::reap_child(child, base::Deadline::after_ms(farewell_ms));
}

base::Result<base::Fd> HelperProgram::open() {
  const std::lock_guard<std::mutex> alone(door_);
  std::erase_if(children_, [](pid_t child) { return waitpid(child, nullptr, WNOHANG) == child; });
  // Its own session: what ends the caller's terminal must not cut a token request in two.
  base::Result<base::Child> child = base::start_child({path_}, environment_, true);
  if (!child) return std::move(child).error();
  children_.push_back(child->pid);
  return std::move(child->channel);
}

base::Done HelperProgram::hand_over(const Record& request, base::Deadline deadline) {
  // A helper that had nothing to do for a while has ended, and has not read this request.
  for (bool kept = channel_.open();; kept = false) {
    if (!kept) {
      base::Result<base::Fd> opened = open();
      if (!opened) return std::move(opened).error();
      channel_ = std::move(*opened);
    }
    base::Done sent = send_record(channel_.get(), request, deadline);
    if (sent) return sent;
    channel_.reset();
    if (!kept) return sent;
  }
}

base::Result<Record> HelperProgram::ask(const Record& request, base::Deadline deadline) {
  base::Done handed = hand_over(request, deadline);
  if (!handed) return std::move(handed).error();
  base::Result<Record> answer = receive_record(channel_.get(), deadline);
  if (answer) return answer;
  channel_.reset();  // an answer that came late would be taken for another one's
  base::Error error = std::move(answer).error();
  error.fault = base::Fault::outcome_unknown;
  error.kind = base::class_of(error.fault);
  return error;
}

base::Result<base::Scratch> HelperProgram::reencode(const base::Scratch& whole, bool seven_bit) {
  base::Result<base::Fd> socket = open();
  if (!socket) return std::move(socket).error();
  base::Result<int> lent = whole.lend_fd();
  if (!lent) return std::move(lent).error();
  Record request("reencode");
  request.put("seven_bit", seven_bit ? "1" : "0");
  request.attached = base::Fd(fcntl(*lent, F_DUPFD_CLOEXEC, 3));
  if (!request.attached.open()) {
    return base::failure_errno(base::Fault::os, "cannot duplicate a descriptor", errno);
  }
  const base::Deadline deadline = base::Deadline::after_ms(reencode_ms);
  base::Done sent = send_record(socket->get(), request, deadline);
  if (!sent) return std::move(sent).error();
  base::Result<Record> answer = receive_record(socket->get(), deadline);
  if (!answer) return std::move(answer).error();
  if (answer->has("fault")) return get_error(*answer);
  if (!answer->attached.open()) {
    return base::failure(base::Fault::bug, "mailbearer-helper answered without the message");
  }
  return base::Scratch::adopt(std::move(answer->attached));
}

}  // namespace net
