#include "account/expiry.h"

#include <array>
#include <chrono>
#include <cstdio>

#include "base/text.h"

namespace account {

namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr std::int64_t day_s = 86'400;
constexpr std::array steps = {1, 7, 14, 30};

std::int64_t days_between(std::int64_t now_s, std::int64_t ends_s) {
  const std::int64_t left = ends_s - now_s;
  return left >= 0 ? left / day_s : -((-left + day_s - 1) / day_s);
}

std::string date_of(std::int64_t wall_s) {
  const year_month_day date(std::chrono::floor<std::chrono::days>(
      std::chrono::sys_seconds(std::chrono::seconds(wall_s))));
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

std::string sentence(const std::string& what, std::int64_t days_left, std::int64_t ends_s) {
  const std::string date = " (" + date_of(ends_s) + ")";
  if (days_left < 0) return what + " has ended" + date;
  if (days_left == 0) return what + " ends today" + date;
  return what + " ends in " + std::to_string(days_left) + (days_left == 1 ? " day" : " days") +
         date;
}

Ending ending(std::string what, std::int64_t ends_s, std::int64_t now_s, std::string cure) {
  Ending out;
  out.what = std::move(what);
  out.ends_s = ends_s;
  out.days_left = days_between(now_s, ends_s);
  out.step = step_of(out.days_left);
  out.text = sentence(out.what, out.days_left, ends_s);
  out.cure = std::move(cure);
  return out;
}

}  // namespace

std::optional<std::int64_t> end_of_day(std::string_view date) {
  std::int64_t y = 0;
  std::int64_t m = 0;
  std::int64_t d = 0;
  if (date.size() != 10 || date[4] != '-' || date[7] != '-' ||
      !base::parse_number(date.substr(0, 4), 1970, 9999, y) ||
      !base::parse_number(date.substr(5, 2), 1, 12, m) ||
      !base::parse_number(date.substr(8, 2), 1, 31, d)) {
    return std::nullopt;
  }
  const year_month_day civil{year(static_cast<int>(y)), month(static_cast<unsigned>(m)),
                             day(static_cast<unsigned>(d))};
  if (!civil.ok()) return std::nullopt;
  return sys_days(civil).time_since_epoch().count() * day_s + day_s - 1;
}

int step_of(std::int64_t days_left) {
  if (days_left < 0) return -1;
  for (const int step : steps) {
    if (days_left <= step) return step;
  }
  return 0;
}

std::vector<Ending> endings(const Account& account, std::int64_t certificate_ends_s,
                            std::int64_t now_s) {
  std::vector<Ending> out;
  if (const auto ends = end_of_day(account.client_secret_expires)) {
    out.push_back(ending("client secret", *ends, now_s,
                         "make a new one, run: mailbearer secret set " + account.name +
                             " client-secret, and change client_secret_expires"));
  }
  if (certificate_ends_s > 0) {
    out.push_back(ending("certificate", certificate_ends_s, now_s,
                         "run: mailbearer certificate " + account.name + " --replace"));
  }
  return out;
}

}  // namespace account
