#include "account/expiry.h"

#include "catch.h"

using account::end_of_day;
using account::endings;

namespace {
constexpr std::int64_t day_s = 86'400;
account::Account with_date(const std::string& date) {
  account::Account account;
  account.name = "site";
  account.client_secret_expires = date;
  return account;
}
}  // namespace

TEST_CASE("expiry: the last second of a day, and no day that is none", "[account]") {
  CHECK(end_of_day("1970-01-01") == day_s - 1);
  CHECK(end_of_day("2027-01-31") == 1801439999);
  CHECK(end_of_day("2028-02-29").has_value());
  for (const char* none : {"", "2027-02-29", "2027-13-01", "2027-1-1", "2027-01-3x", "27-01-31"}) {
    CHECK_FALSE(end_of_day(none).has_value());
  }
}

TEST_CASE("expiry: the steps at which a person is warned", "[account]") {
  for (const auto& [days, step] : std::vector<std::pair<std::int64_t, int>>{{400, 0},
                                                                            {31, 0},
                                                                            {30, 30},
                                                                            {15, 30},
                                                                            {14, 14},
                                                                            {8, 14},
                                                                            {7, 7},
                                                                            {2, 7},
                                                                            {1, 1},
                                                                            {0, 1},
                                                                            {-1, -1},
                                                                            {-400, -1}}) {
    INFO(days);
    CHECK(account::step_of(days) == step);
  }
}

TEST_CASE("expiry: sentence and cure of a client secret and of a certificate", "[account]") {
  const std::int64_t end = *end_of_day("2027-01-31");
  const auto text = [&](std::int64_t before_s) {
    return endings(with_date("2027-01-31"), 0, end - before_s).at(0).text;
  };
  CHECK(text(6 * day_s + 5) == "client secret ends in 6 days (2027-01-31)");
  CHECK(text(day_s) == "client secret ends in 1 day (2027-01-31)");
  CHECK(text(10) == "client secret ends today (2027-01-31)");
  CHECK(text(-1) == "client secret has ended (2027-01-31)");
  CHECK(endings(with_date(""), 0, end).empty());
  const auto both = endings(with_date("2027-01-31"), end + 30 * day_s, end - 9 * day_s);
  REQUIRE(both.size() == 2);
  CHECK(both[0].step == 14);
  CHECK(both[0].cure.find("mailbearer secret set site client-secret") != std::string::npos);
  CHECK(both[1].text == "certificate ends in 39 days (2027-03-02)");
  CHECK(both[1].step == 0);
  CHECK(both[1].cure == "run: mailbearer certificate site --replace");
}
