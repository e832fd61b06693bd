// notice: what the queue tells a person: a line for the log, and where an account needs somebody,
// `notify_command` and `notify_via`. Source: design section 5 (hold: one notice a day); the queue
// says when, this says where. Nothing here stops a delivery: what cannot be told is lost, but for
// the log. Owns: one thread. Errors: none.
#pragma once

#include <functional>
#include <string>

#include "agent/pool.h"
#include "agent/surroundings.h"
#include "base/result.h"
#include "mail/submission.h"
#include "queue/work.h"
#include "report/log_line.h"

namespace agent {

// In words, one line, for a person.
std::string sentence_of(const queue::Event& event);
report::LogLine log_line_of(const queue::Event& event);

// A short message to those who answer for the host (local_mail_to) from `via`. Fault::config when
// nobody is named.
base::Result<mail::Submission> notice_message(const account::Configuration& configuration,
                                              const account::Account& via, const std::string& text);

class Notices {
 public:
  // `post`: a message to be sent by the account of that name.
  using Post = std::function<void(const mail::Submission& message, const std::string& account)>;
  Notices(const Surroundings& around, Post post);

  void tell(const queue::Event& event, const SharedConfiguration& configuration);
  void finish() { pool_.finish(); }

 private:
  void run_command(const std::vector<std::string>& argv, const std::string& text) const;

  const Surroundings& around_;
  Post post_;
  Pool pool_;
};

}  // namespace agent
