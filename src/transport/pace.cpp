#include "transport/pace.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/seal.h"
#include "base/text.h"

namespace transport {

namespace {

constexpr std::int64_t longest_pause_s = 3600;
constexpr std::int64_t clock_slack_s = 5;
// How often those who wait look for a free turn.
constexpr std::int64_t look_again_ms = 50;
constexpr std::size_t file_limit = 1024;
constexpr std::size_t cause_limit = 200;
constexpr std::size_t name_length = 16;

void sleep_ms(std::int64_t ms) {
  poll(nullptr, 0, static_cast<int>(ms));
}

base::Error left_alone(const std::string& cause, std::int64_t left_s) {
  base::Error error = base::failure(base::Fault::unavailable, cause,
                                    "try again after " + std::to_string(left_s) + " s");
  error.retry_after_s = left_s;
  return error;
}

base::Error all_taken(int at_once, std::int64_t patience_ms) {
  return base::failure(base::Fault::unavailable,
                       "provider limit, " + std::to_string(at_once) +
                           " requests at once, all in use for " +
                           std::to_string(patience_ms / 1000) + " s",
                       "try again");
}

}  // namespace

Pace::Pace(const std::string& folder, const account::Account& account) {
  if (!base::runtime_folder_ready(folder)) return;
  const std::string server = account.transport == account::Transport::graph
                                 ? account.graph_endpoint
                                 : account.smtp_host + ":" + std::to_string(account.smtp_port);
  const std::string who = server + "\n" + account.client_id + "\n" + base::lower(account.user);
  stem_ = folder + "/pace-" + base::sha256_hex(who).substr(0, name_length);
}

base::Result<base::Fd> Pace::turn(int at_once, std::int64_t patience_ms) const {
  const base::Deadline deadline = base::Deadline::after_ms(patience_ms);
  while (!stem_.empty()) {
    const Pause pause = pause_now();
    const std::int64_t left_ms = deadline.left_ms();
    if (pause.left_s * 1000 > left_ms) return left_alone(pause.cause, pause.left_s);
    if (pause.left_s == 0) {
      bool shared = true;
      base::Fd turn = free_turn(at_once, shared);
      if (turn.open() || !shared) return turn;
      if (deadline.passed()) return all_taken(at_once, patience_ms);
    }
    // A pause may end early or grow: somebody else's answer decides.
    sleep_ms(std::clamp<std::int64_t>(left_ms, 1, look_again_ms));
  }
  return base::Fd();
}

base::Fd Pace::free_turn(int at_once, bool& shared) const {
  for (int number = 0; number < at_once; ++number) {
    base::Result<base::Fd> turn =
        base::lock_file(stem_ + ".turn" + std::to_string(number) + ".lock", 0);
    if (turn) return std::move(*turn);
    // A folder that went, a file system that is full: the provider will say what is too much.
    if (turn.error().fault != base::Fault::unavailable) shared = false;
  }
  return {};
}

Pace::Pause Pace::pause_now() const {
  Pause pause;
  base::Result<base::Fd> file = base::open_trusted(stem_ + ".pause");
  if (!file) return pause;
  base::Result<std::string> text = base::read_all(file->get(), file_limit, stem_);
  if (!text) return pause;
  // "SINCE UNTIL CAUSE"
  const std::size_t first = text->find(' ');
  const std::size_t second = first == std::string::npos ? first : text->find(' ', first + 1);
  if (second == std::string::npos) return pause;
  std::int64_t since = 0;
  std::int64_t until = 0;
  const std::string_view line(*text);
  if (!base::parse_number(line.substr(0, first), 0, INT64_MAX / 2, since) ||
      !base::parse_number(line.substr(first + 1, second - first - 1), 0, INT64_MAX / 2, until)) {
    return pause;
  }
  const std::int64_t now = base::wall_seconds();
  if (since > now + clock_slack_s || until - since > longest_pause_s || until <= now) return pause;
  pause.left_s = until - now;
  pause.cause = base::clean(base::trim(line.substr(second + 1)), cause_limit);
  return pause;
}

void Pace::pause(std::int64_t seconds, const std::string& cause) const {
  if (stem_.empty() || seconds <= 0) return;
  const std::int64_t now = base::wall_seconds();
  const std::int64_t until = now + std::min(seconds, longest_pause_s);
  const base::Done written = base::replace_file(stem_ + ".pause",
                                                std::to_string(now) + " " + std::to_string(until) +
                                                    " " + base::clean(cause, cause_limit) + "\n",
                                                0600, base::Durable::no);
  static_cast<void>(written);  // then the others are told by the provider, too
}

}  // namespace transport
