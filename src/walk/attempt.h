// attempt: one message by one account: its bytes made for the wire, its token, its delivery, and
// the line that the log gets. Who keeps a prepared message (a queue) begins with carry(). Errors:
// those of prepare(); later ones are fates. One object an attempt.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mail/prepare.h"
#include "transport/deliver.h"
#include "walk/one_message.h"

namespace walk {

class Attempt {
 public:
  Attempt(const Stage& stage, const account::Account& account) : stage_(stage), account_(account) {}

  base::Result<mail::Prepared> prepare(mail::Submission submission);
  std::vector<base::Fate> carry(mail::Prepared& prepared);
  // As send_again().
  std::vector<base::Fate> make_again(mail::Prepared& prepared, uid_t uid);
  // Both.
  base::Result<std::vector<base::Fate>> make(mail::Submission submission);
  // `next`: the account that goes on with it.
  void log(const base::Result<std::vector<base::Fate>>& fates, const std::string& next = {}) const;

 private:
  std::vector<base::Fate> deliver(mail::Prepared& prepared);

  const Stage& stage_;
  const account::Account& account_;
  report::Attempt noted_{};
  transport::Trail trail_{};
};

}  // namespace walk
