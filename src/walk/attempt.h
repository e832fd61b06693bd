// attempt: one message by one account: its bytes made for the wire, its token, its delivery, and
// the line that the log gets. Internal to the room. Errors: those of prepare(); later ones are
// fates.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transport/deliver.h"
#include "walk/one_message.h"

namespace walk {

class Attempt {
 public:
  Attempt(const Stage& stage, const account::Account& account) : stage_(stage), account_(account) {}

  base::Result<std::vector<base::Fate>> make(mail::Submission submission);
  base::Result<std::vector<base::Fate>> make_again(mail::Prepared prepared, uid_t uid);
  // `next`: the account that goes on with it.
  void log(const base::Result<std::vector<base::Fate>>& fates, const std::string& next = {}) const;

 private:
  base::Result<std::vector<base::Fate>> hand_over(mail::Prepared& prepared);
  base::Result<std::vector<base::Fate>> deliver(mail::Prepared& prepared);

  const Stage& stage_;
  const account::Account& account_;
  report::Attempt noted_{};
  transport::Trail trail_{};
};

}  // namespace walk
