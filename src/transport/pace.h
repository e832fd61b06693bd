// pace: the limits of one mailbox, kept together by all processes of one user: so many requests at
// once, and the pause that the provider has asked for. Source: facts/providers.md 3.6 and 6; design
// section 2 (pace_wait). They meet in the runtime folder, by locks that die with their process and
// one small file; without a folder that is ours nothing is shared, and nobody waits. The file
// believes no clock: a pause of more than an hour, or from the future, is none. Times in seconds
// where the name says so, else in milliseconds.
// Errors: Fault::unavailable naming the limit, when the turn did not come in time.
#pragma once

#include <cstdint>
#include <string>

#include "account/account.h"
#include "base/file.h"
#include "base/result.h"

namespace transport {

class Pace {
 public:
  // One place for an app's requests to one mailbox of one server.
  Pace(const std::string& folder, const account::Account& account);

  // Waits until no pause holds and one of `at_once` turns is free, but not for longer than
  // patience_ms; a pause that lasts longer is told at once. The turn ends with the Fd, which is
  // closed where nothing is shared.
  base::Result<base::Fd> turn(int at_once, std::int64_t patience_ms) const;

  // The provider wants to be left alone. `cause`: what those are told who come meanwhile.
  void pause(std::int64_t seconds, const std::string& cause) const;

 private:
  struct Pause {
    std::int64_t left_s = 0;
    std::string cause{};
  };
  Pause pause_now() const;
  // A closed Fd: all are taken. `shared` false: there is no place to take one.
  base::Fd free_turn(int at_once, bool& shared) const;

  std::string stem_;  // of the files' paths; empty: nothing is shared
};

}  // namespace transport
