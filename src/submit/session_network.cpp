// What a session over the network has beside the others: STARTTLS, AUTH, and an ear for what is no
// SMTP at all. Source: RFC 3207, RFC 4954, RFC 4616 (PLAIN); design section 3 (listen_*).
#include <utility>
#include <vector>

#include "base/text.h"
#include "submit/session.h"

namespace submit {

namespace {

// A browser that was made to post to us speaks so (cross-protocol attacks).
bool speaks_http(const std::string& verb) {
  for (const char* word : {"GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "CONNECT", "PATCH",
                           "HOST:", "USER-AGENT:"}) {
    if (verb == word) return true;
  }
  return false;
}

}  // namespace

// Whether the command is done with.
bool Session::obey_network(const Command& command) {
  if (speaks_http(command.verb)) {
    reply("554 5.5.1 This is SMTP");
    ended_ = true;
    return true;
  }
  if (command.verb == "STARTTLS" && rules_.offers_tls && !tls_) {
    start_tls();
    return true;
  }
  if (command.verb == "AUTH" && rules_.wants_auth && rules_.from_base64) {
    begin_auth(command.rest);
    return true;
  }
  if (command.verb == "MAIL" && rules_.wants_auth && !signed_in_) {
    refuse("530", "5.7.0 Authentication required", 77);
    return true;
  }
  return false;
}

void Session::start_tls() {
  if (mail_given_) return refuse("503", "5.5.1 Not inside a transaction", 76);
  reply("220 2.0.0 Ready to start TLS");
  wants_tls_ = true;
}

// What was sent ahead in plaintext is dropped with all that was known (CVE-2011-0411).
void Session::tls_is_there() {
  forget();
  input_.clear();
  signed_in_ = false;
  wants_tls_ = false;
  tls_ = true;
}

void Session::begin_auth(const std::string& rest) {
  const std::vector<std::string> words = base::words(rest);
  if (signed_in_) return refuse("503", "5.5.1 Authenticated already", 76);
  if (rules_.offers_tls && !tls_) {
    return refuse("538", "5.7.11 Encryption is required for this mechanism", 76);
  }
  if (words.empty() || words.size() > 2) return refuse("501", "5.5.4 AUTH names a mechanism", 76);
  if (base::same_ignoring_case(words[0], "PLAIN")) {
    state_ = State::plain;
    if (words.size() == 2) return take_auth(words[1]);
    reply("334 ");
  } else if (base::same_ignoring_case(words[0], "LOGIN")) {
    state_ = State::login_name;
    if (words.size() == 2) return take_auth(words[1]);
    reply("334 VXNlcm5hbWU6");
  } else {
    refuse("504", "5.5.4 PLAIN and LOGIN are known here", 76);
  }
}

void Session::take_auth(const std::string& line) {
  const State step = std::exchange(state_, State::command);
  if (line == "*") return refuse("501", "5.7.0 Authentication given up", 76);
  base::Result<std::string> decoded = rules_.from_base64(line == "=" ? "" : line);
  if (!decoded) return refuse("501", "5.5.2 This is no base64", 76);
  const base::Secret response(*decoded);
  base::wipe(*decoded);
  if (step == State::plain) return take_plain(response.reveal());
  if (step == State::login_name) {
    auth_name_ = response.reveal();
    state_ = State::login_password;
    reply("334 UGFzc3dvcmQ6");
    return;
  }
  admit(auth_name_, response);
}

// authorization id NUL name NUL password
void Session::take_plain(std::string_view response) {
  const std::size_t first = response.find('\0');
  const std::size_t second =
      first == std::string_view::npos ? first : response.find('\0', first + 1);
  if (second == std::string_view::npos) return refuse("501", "5.5.2 Malformed response", 76);
  const std::string name(response.substr(first + 1, second - first - 1));
  admit(name, base::Secret(response.substr(second + 1)));
}

void Session::admit(const std::string& name, const base::Secret& password) {
  const bool right = !name.empty() && !password.empty() && !base::has_control(name) &&
                     rules_.admit && rules_.admit(name, password);
  if (!right) return refuse("535", "5.7.8 Authentication credentials invalid", 77);
  signed_in_ = true;
  reply("235 2.7.0 Authentication successful");
}

}  // namespace submit
