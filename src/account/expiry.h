// expiry: what of an account ends on a known day: client_secret_expires, and the certificate that
// the caller has read. Pure. Source: issue 5 part 3. A person is warned at 30, 14, 7 and 1 days,
// and told when it is over. Times are wall clock seconds; days are whole, rounded down: "0 days" is
// today and negative is over. Errors: none; a date that is none is not there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "account/account.h"

namespace account {

// The last second (UTC) of "2027-01-31".
std::optional<std::int64_t> end_of_day(std::string_view date);

struct Ending {
  std::string what{};  // "client secret"
  std::int64_t ends_s = 0;
  std::int64_t days_left = 0;
  int step = 0;        // 30, 14, 7, 1: the last that was reached; -1: over; 0: none yet
  std::string text{};  // "client secret ends in 6 days (2027-01-31)"
  std::string cure{};  // what to type
};

// 30, 14, 7, 1, -1 (over), or 0: none yet. Whoever warns once a step keeps the last one.
int step_of(std::int64_t days_left);

// certificate_ends_s: notAfter of app_certificate; 0: not known, or there is none.
std::vector<Ending> endings(const Account& account, std::int64_t certificate_ends_s,
                            std::int64_t now_s);

}  // namespace account
