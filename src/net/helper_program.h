// helper_program: mailbearer-helper as a child, started when first needed and ended with this
// object. What it is asked: token requests (token/obtain, over a socket from open()) and
// re-encoding (here), and whatever speaks in records (ask). Owns: the children it started; each
// ends when its socket closes. Errors: Fault::os, Fault::unavailable.
#pragma once

#include <sys/types.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "base/scratch.h"
#include "net/record.h"

namespace net {

class HelperProgram {
 public:
  HelperProgram(std::string path, std::vector<std::string> environment)
      : path_(std::move(path)), environment_(std::move(environment)) {}
  ~HelperProgram();
  HelperProgram(const HelperProgram&) = delete;
  HelperProgram& operator=(const HelperProgram&) = delete;

  // A helper of one's own; closing the socket ends it. Those that have ended are reaped here. May
  // be called on any thread: a refresh beside the dialogue opens the keyring.
  base::Result<base::Fd> open();
  // The whole message with the parts re-encoded that a server could not take; see mail/mime.h.
  base::Result<base::Scratch> reencode(const base::Scratch& whole, bool seven_bit);
  // One request and its answer, on a channel that stays for the next one, so that the helper keeps
  // its connections. Fault::outcome_unknown: the request was handed over, and no answer came.
  base::Result<Record> ask(const Record& request, base::Deadline deadline);

 private:
  base::Done hand_over(const Record& request, base::Deadline deadline);

  std::string path_;
  std::vector<std::string> environment_;
  base::Fd channel_;
  std::mutex door_;
  std::vector<pid_t> children_;  // behind door_
};

}  // namespace net
