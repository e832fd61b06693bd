// fault: what goes wrong on purpose, by recipient address or by the control endpoint.
// Source: facts/reliability-security.md 3.3 and 3.4. The grammar of a recipient's local part:
//
//   fault+ITEM[+ITEM...]      ITEM = ACTION[-at-STAGE | -after-dot][-times-N]
//   ACTION = CODE[-X.Y.Z]  a reply of that code; or close, reset, hang, garbage, slow, flood
//   STAGE  = rcpt (also when none is named), data, mid-data, end, quit; graph, for sendMail and
//            send of Graph, where CODE is of HTTP; -after-graph is what -after-dot is there
//
//   fault+550-5.1.1@x             RCPT is refused
//   fault+451-4.7.500-times-2@x   RCPT is deferred twice, then taken
//   fault+close-at-data@x         the connection ends instead of a 354
//   fault+432-4.3.2-at-end@x      the data is refused after its dot
//   fault+close-after-dot@x       the mail is kept, and the reply to the dot is lost
//
// Errors: Fault::usage with the piece that cannot be read.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace sandbox {

struct Fault {
  enum class Action : std::uint8_t { reply, close, reset, hang, garbage, slow, flood };
  std::string
      stage{};  // banner ehlo starttls tls auth mail rcpt data mid-data end quit, token, graph.*
  Action action = Action::reply;
  std::int64_t times = 1;
  std::int64_t delay_ms = 0;  // waited first
  std::int64_t skip = 0;      // so many requests pass first
  bool keep = false;          // at end and of Graph: what was asked for is done all the same

  // Of the mail service.
  int code = 0;               // with `status`, where no whole reply is given
  std::string status{};       // "5.1.1" or empty
  std::string reply{};        // a whole reply, lines separated by LF, sent as it is
  std::string challenge{};    // auth: sent in base64 behind a 334 first
  std::string certificate{};  // tls: expired, not-yet-valid, wrong-name, self-signed
  // Of the token endpoint and of Graph.
  int http_status = 0;
  std::string body{};
  std::int64_t repeat = 1;  // the body so many times
  std::vector<std::pair<std::string, std::string>> headers{};
};

bool parse_action(std::string_view word, Fault::Action& action);
bool is_smtp_stage(std::string_view stage);
bool is_graph_stage(std::string_view stage);

// The faults that the address asks for; none for an ordinary one.
base::Result<std::vector<Fault>> recipient_faults(std::string_view address);

// The reply of a fault with code and status, for `what` ("<a@b>").
std::string fault_reply(const Fault& fault, const std::string& what);

// Faults that wait for the next requests of their stage, in the order they were set. Threads: any.
class FaultBoard {
 public:
  void set(Fault fault);
  std::optional<Fault> take(const std::string& stage);
  // Whether a recipient's fault strikes this time; counts it.
  bool strikes(const std::string& address, const Fault& fault);
  void clear();

 private:
  std::mutex mutex_;
  std::map<std::string, std::deque<Fault>> waiting_;
  std::map<std::string, std::int64_t> struck_;
};

}  // namespace sandbox
