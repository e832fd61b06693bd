// submission: one SMTP dialogue, with the capabilities, replies and strictness of Exchange Online.
// Source: facts/providers.md 2.2-2.8; RFC 5321, 3207, 4954, 3030, 6152, 6531, 3461. Runs in the
// thread of its connection. Trusts: nothing; every line and number is bounded, every wait ends.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/fault.h"
#include "sandbox/journal.h"
#include "sandbox/limits.h"
#include "sandbox/mailbox_store.h"
#include "sandbox/options.h"
#include "sandbox/tenant.h"
#include "sandbox/tls_stream.h"
#include "sandbox/wire.h"

namespace sandbox {

struct Services {
  const Options& options;
  Tenant& tenant;
  Journal& journal;
  FaultBoard& faults;
  Limits& limits;
  const TlsIdentity& tls;
  std::string maildir;
  std::string host;  // as the greeting names it
  const std::atomic<bool>& stopping;
};

class Intake;

class Submission {
 public:
  Submission(Services& services, Connection& connection, std::uint64_t number);
  ~Submission();
  Submission(const Submission&) = delete;
  Submission& operator=(const Submission&) = delete;
  void run(bool implicit_tls);

 private:
  enum class Next : std::uint8_t { go_on, stop };
  enum class Struck : std::uint8_t { no, answered, gone };
  struct Verb {
    std::string_view name;
    Next (Submission::*take)(std::string_view arguments);
  };
  static const std::vector<Verb>& verbs();

  bool shake_hands();
  bool greet();
  Next command(const std::string& line);
  Next ehlo(std::string_view arguments);
  Next helo(std::string_view arguments);
  Next starttls(std::string_view arguments);
  Next auth(std::string_view arguments);
  Next mail(std::string_view arguments);
  Next rcpt(std::string_view arguments);
  Next data(std::string_view arguments);
  Next bdat(std::string_view arguments);
  Next rset(std::string_view arguments);
  Next noop(std::string_view arguments);
  Next vrfy(std::string_view arguments);
  Next quit(std::string_view arguments);

  // auth (submission_auth.cpp)
  bool auth_login();
  Next judge_response(bool bearer, const std::string& response);
  Next refuse_token(bool bearer, const std::string& reason, bool challenge);
  bool exchange_challenge(const std::string& json, const std::string& right_answer);

  // data (submission_data.cpp)
  std::string data_refused() const;
  Next receive();
  Next settle(Intake& intake);
  Next settle_faults(Intake& intake, bool& answered);
  std::string judge(const Intake& intake) const;
  bool skip(std::uint64_t count);

  // replies
  Next reply(const std::string& text);
  bool send_lines(const std::string& text, bool slow);
  Struck strike(const std::string& stage, const std::string& what);
  Struck suffer(const Fault& fault, const std::string& what);
  Struck recipient_strike(const std::string& stage);
  void pause(std::int64_t ms) const;
  bool offers(const char* capability) const;
  std::string stamp() const;
  std::string check_mail_parameters();
  std::string check_rcpt_parameters(
      const std::vector<std::pair<std::string, std::string>>& parameters) const;
  void forget_transaction();
  void note(const std::string& event, Details details) const;

  Services& services_;
  Connection& connection_;
  Wire wire_;
  std::uint64_t number_;
  std::string session_id_;
  std::string verb_ = "connect";  // for the journal
  std::string shown_;             // what the journal tells of the command: never a token
  bool greeted_ = false;
  bool slow_reply_ = false;
  std::optional<User> user_;  // who signed in
  bool in_transaction_ = false;
  bool utf8_ = false;
  std::string body_ = "7BIT";
  EnvelopeFacts envelope_;
  std::vector<std::pair<std::string, std::string>> mail_parameters_;
  std::vector<std::pair<std::string, Fault>> recipient_faults_;
  std::unique_ptr<Intake> chunks_;  // of a BDAT sequence
};

}  // namespace sandbox
