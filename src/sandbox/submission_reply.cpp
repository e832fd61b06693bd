#include <poll.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "base/clock.h"
#include "base/text.h"
#include "sandbox/intake.h"
#include "sandbox/submission.h"

namespace sandbox {

namespace {

constexpr std::int64_t hang_ms = 600'000;
constexpr std::int64_t slow_byte_ms = 200;
constexpr int flood_lines = 2'000'000;

// Without ENHANCEDSTATUSCODES the second word goes: "250 2.1.0 OK" becomes "250 OK".
std::string without_status(const std::string& line) {
  const std::vector<std::string> words = base::words(line.size() > 4 ? line.substr(4) : "");
  if (words.empty() || words[0].size() < 5 || words[0][1] != '.' || !base::is_digit(words[0][0])) {
    return line;
  }
  std::string out = line.substr(0, 4);
  out += base::trim(std::string_view(line).substr(4 + words[0].size()));
  return out;
}

}  // namespace

std::string Submission::stamp() const {
  const std::time_t now = base::wall_seconds();
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.000Z", utc.tm_year + 1900,
                utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return "[" + services_.host + " " + text.data() + " " + session_id_ + "]";
}

void Submission::note(const std::string& event, Details details) const {
  details.insert(details.begin(), {"connection", std::to_string(number_)});
  services_.journal.note(event, details);
}

void Submission::pause(std::int64_t ms) const {
  const base::Deadline end = base::Deadline::after_ms(ms);
  while (!end.passed() && !services_.stopping) {
    poll(nullptr, 0, std::min(end.left_ms(), 50));
  }
}

bool Submission::send_lines(const std::string& text, bool slow) {
  std::string out;
  for (const std::string_view line : base::split(text, '\n')) out += std::string(line) + "\r\n";
  if (!slow) return wire_.write(out);
  for (const char c : out) {
    if (services_.stopping || !wire_.write({&c, 1})) return false;
    pause(slow_byte_ms);
  }
  return true;
}

Submission::Next Submission::reply(const std::string& text) {
  std::string out = text;
  if (!offers("ENHANCEDSTATUSCODES") && text.find('\n') == std::string::npos) {
    out = without_status(text);
  }
  Details details = {{"outcome", text.substr(0, 3)}};
  if (!shown_.empty()) details.emplace_back("said", shown_);
  if (text[0] >= '4') details.emplace_back("reply", text);
  if (connection_.encrypted()) details.emplace_back("tls", "yes");
  note("smtp." + verb_, details);
  const bool slow = slow_reply_;
  slow_reply_ = false;
  if (!send_lines(out, slow)) return Next::stop;
  return text.substr(0, 3) == "421" ? Next::stop : Next::go_on;
}

Submission::Struck Submission::strike(const std::string& stage, const std::string& what) {
  const std::optional<Fault> fault = services_.faults.take(stage);
  return fault ? suffer(*fault, what) : Struck::no;
}

Submission::Struck Submission::recipient_strike(const std::string& stage) {
  for (const auto& [address, fault] : recipient_faults_) {
    if (fault.stage != stage || !services_.faults.strikes(address, fault)) continue;
    const Struck hit = suffer(fault, "<" + address + ">");
    if (hit != Struck::no) return hit;
  }
  return Struck::no;
}

Submission::Struck Submission::suffer(const Fault& fault, const std::string& what) {
  note("smtp.fault", {{"stage", fault.stage}, {"outcome", fault.stage}});
  pause(fault.delay_ms);
  switch (fault.action) {
    case Fault::Action::reply: {
      if (fault.code == 0 && fault.reply.empty()) return Struck::no;
      const std::string text = fault_reply(fault, what);
      note("smtp." + verb_, {{"outcome", text.substr(0, 3)}, {"reply", text}, {"fault", "yes"}});
      if (!send_lines(text, false)) return Struck::gone;
      return text.substr(0, 3) == "421" ? Struck::gone : Struck::answered;
    }
    case Fault::Action::close:
      return Struck::gone;
    case Fault::Action::reset:
      connection_.reset();
      return Struck::gone;
    case Fault::Action::hang:
      connection_.wait_for_peer_to_leave(base::Deadline::after_ms(hang_ms));
      return Struck::gone;
    case Fault::Action::garbage: {
      using std::string_view_literals::operator""sv;
      constexpr std::string_view noise = "\x00\xff\x80 no reply at all\r\n2x5 nor this\r\n"sv;
      static_cast<void>(wire_.write(noise));
      connection_.wait_for_peer_to_leave(wire_.deadline());
      return Struck::gone;
    }
    case Fault::Action::slow:
      slow_reply_ = true;
      return Struck::no;
    case Fault::Action::flood:
      for (int i = 0; i < flood_lines && !services_.stopping; ++i) {
        if (!wire_.write("250-and one line more\r\n")) break;
      }
      return Struck::gone;
  }
  return Struck::no;
}

}  // namespace sandbox
