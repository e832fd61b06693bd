// options: the command line of mailbearer-sandbox, as data.
// Source: man/mailbearer-sandbox.1. Errors: Fault::usage. Units are in the names; sizes in bytes.
// An address that is not of the loopback interface is refused here, so no server ever sees one.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sandbox {

struct Options {
  std::string directory{};
  std::vector<std::string> bind_addresses{};  // empty: 127.0.0.1, and ::1 where there is one
  std::string host = "127.0.0.1";             // the name that the endpoints carry
  std::int64_t http_port = 0;                 // 0: any
  std::int64_t smtp_port = 0;
  std::int64_t smtps_port = 0;
  std::string seed_file{};
  std::string app_certificate{};  // PEM, registered with the confidential application

  // Identity.
  std::int64_t expires_in_s = 3599;
  std::int64_t device_interval_s = 5;
  bool strict_rotation = false;
  std::string auto_consent{};  // this user agrees to every authorize request at once

  // Submission.
  std::set<std::string> without{};  // capabilities that are not offered, in upper case
  bool chunking = false;  // BDAT works; otherwise it is offered and refused (MailKit #904)
  bool oauthbearer = false;
  bool challenge = false;  // a refused token gets Google's 334 before the 535
  bool null_sender = false;
  bool without_auth = false;
  bool strict_auth_line = false;  // RFC 4954: 512 octets
  bool replace_message_id = false;
  std::int64_t size_limit = 157286400;
  std::int64_t store_limit = 0;  // the mailbox's own limit, seen after the data; 0: none
  std::int64_t recipient_limit = 500;
  std::int64_t line_limit = 998;
  std::int64_t messages_per_minute = 0;  // 0: no limit
  std::int64_t connections_per_mailbox = 0;
  std::int64_t tarpit_ms = 0;
  std::int64_t timeout_s = 300;

  // Graph.
  std::int64_t graph_request_limit = 4 * 1024 * 1024;  // and never more
  std::int64_t graph_at_once = 4;                      // of an application and a mailbox; 0: any
  std::int64_t graph_session_minimum = 3 * 1024 * 1024;
  std::int64_t graph_session_s = 86'400;
  std::int64_t graph_lose_over = 0;   // larger requests get a 200 and are not sent; 0: none
  bool graph_drop_headers = false;    // fields that do not begin with X-
  bool graph_drop_x_headers = false;  // those that do

  // Process.
  std::int64_t parent_pid = 0;
  bool until_stdin_closes = false;
  bool help = false;
  bool version = false;
};

base::Result<Options> parse_options(const std::vector<std::string>& arguments);
bool is_loopback(const std::string& address);
std::string_view usage_text();

}  // namespace sandbox
