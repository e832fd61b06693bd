// replies_row: what the three judges of the table share: how a row is matched and how its words are
// filled in. Internal to replies*.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/replies.h"

namespace base {

std::span<const ReplyRow> smtp_reply_rows();
std::span<const ReplyRow> token_status_rows();  // an HTTP status that outweighs every word
std::span<const ReplyRow> token_error_rows();   // the word `error`
std::span<const ReplyRow> token_number_rows();  // Microsoft's numbers
std::span<const ReplyRow> token_other_rows();   // what no other row knows
std::span<const ReplyRow> graph_reply_rows();

bool code_fits(int pattern, int code);
// "5.7.3"; "4.7.500-699": the last number within a range. An empty pattern fits all.
bool word_fits(std::string_view pattern, std::string_view word);

struct FillIn {
  std::string_view name;
  std::string value;
  std::size_t limit = 128;  // octets that are shown of it
};
// "{user} may not send as {sender}" with the values in place, each cleaned and cut. They are never
// looked at again, so that braces in an address stay what they are.
std::string fill_in(std::string_view pattern, const std::vector<FillIn>& values);

// The error that a row makes. `kind` may differ from the row's where another one decides the class.
Error error_of(const ReplyRow& row, FaultClass kind, const std::vector<FillIn>& values,
               std::int64_t retry_after_s);

// Cures that several rows of different files share.
constexpr const char* cure_again = "try again";
constexpr const char* cure_doctor = "run: mailbearer doctor {account}";
constexpr const char* cure_login = "run: mailbearer login {account}";

}  // namespace base
