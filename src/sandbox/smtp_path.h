// smtp_path: the arguments of MAIL and RCPT. Source: RFC 5321 section 4.1.2, RFC 6531. Strict: no
// blank after the colon, angle brackets always. Limits: a path of 254 octets, 16 parameters.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sandbox {

struct PathCommand {
  std::string address{};                                          // without brackets; empty: <>
  std::vector<std::pair<std::string, std::string>> parameters{};  // names in upper case
  bool ascii = true;
};

// `keyword` is "FROM:" or "TO:". False: not of that form.
bool parse_path_command(std::string_view arguments, std::string_view keyword, PathCommand& out);

bool is_mailbox(std::string_view address);

}  // namespace sandbox
