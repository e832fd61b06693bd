#include "verb/sign_in.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/process.h"
#include "base/text.h"
#include "token/browser.h"
#include "token/device.h"
#include "verb/console.h"
#include "verb/open_browser.h"
#include "verb/qr_code.h"
#include "verb/terminal.h"

namespace verb {

namespace {

using account::Account;
using base::Fault;
using Way = LoginPlan::Way;

base::Error nobody_came(std::int64_t wait_s) {
  const std::int64_t minutes = (wait_s + 59) / 60;
  return base::failure(Fault::unavailable,
                       "nobody signed in within " + std::to_string(minutes) +
                           (minutes == 1 ? " minute" : " minutes"),
                       "run mailbearer login again; --wait 1h waits longer");
}

std::string port_hint(std::uint16_t port) {
  const std::string number = std::to_string(port);
  return "(Over ssh, `ssh -L " + number + ":localhost:" + number +
         " THIS-HOST` from the machine with the browser ends it without pasting.)\n";
}

void show_paste(const token::Browser& browser) {
  const std::string at = browser.port() == 0
                             ? "http://localhost/"
                             : "http://localhost:" + std::to_string(browser.port()) + "/";
  tell("Open this on any machine. The last page will fail to load (" + at +
       "?code=…): copy its whole address and paste it here.\n\n" + browser.url() + "\n\n");
  if (browser.port() != 0) tell(port_hint(browser.port()));
}

void show_browser(const token::Browser& browser, const Account& account) {
  const base::Done opened = open_browser(cli::read_desk(), browser.url());
  if (opened) {
    tell("Your browser opens, to sign in as " + account.user +
         ". If it does not, open this in it:\n\n" + browser.url() + "\n\n");
  } else {
    tell(opened.error().cause + "; " + opened.error().cure + ":\n\n" + browser.url() + "\n\n");
  }
}

// Standard input as far as it is wanted: a paste, or nothing.
class Input {
 public:
  Input(bool wanted, bool closed) : wanted_(wanted && !closed) {
    if (wanted_ && isatty(STDIN_FILENO) != 0) hidden_.emplace(true);
  }
  bool wanted() const { return wanted_; }
  void read_into(token::Browser& browser) {
    std::array<char, 4096> buffer{};
    const ssize_t got = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got > 0) browser.typed({buffer.data(), static_cast<std::size_t>(got)});
    const bool over = got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
    if (over) {             // or a terminal that is gone, which would be ready for ever
      browser.typed("\n");  // a pipe may end without a line end
      wanted_ = false;
    }
    explicit_bzero(buffer.data(), buffer.size());
  }

 private:
  bool wanted_;
  std::optional<HiddenInput> hidden_{};
};

int sooner(int a_ms, int b_ms) {
  if (a_ms < 0) return b_ms;
  return b_ms < 0 ? a_ms : std::min(a_ms, b_ms);
}

base::Done wait_for_answer(token::Browser& browser, bool paste, std::int64_t wait_s,
                           bool input_closed) {
  Input input(paste, input_closed);
  const base::Deadline deadline = base::Deadline::after_ms(wait_s * 1000);
  if (input.wanted() && person_is_there()) tell("Paste it here (it does not show): ");
  while (!deadline.passed()) {
    std::vector<pollfd> watched;
    if (input.wanted()) watched.push_back({STDIN_FILENO, POLLIN, 0});
    browser.add_watched(watched);
    if (poll(watched.data(), watched.size(), sooner(browser.wait_ms(), deadline.left_ms())) < 0 &&
        errno != EINTR) {
      return base::failure_errno(Fault::os, "cannot wait for the sign-in", errno);
    }
    if (input.wanted() && watched[0].revents != 0) input.read_into(browser);
    switch (browser.step()) {
      case token::Browser::Step::answered:
        if (input.wanted()) tell("\n");
        return base::done();
      case token::Browser::Step::mistyped:
        tell("\n" + browser.complaint().cause + "; " + browser.complaint().cure + "\n");
        if (!input.wanted() && browser.port() == 0) return browser.complaint();
        if (input.wanted()) tell("Paste it here: ");
        break;
      case token::Browser::Step::waiting:
        break;
    }
  }
  return nobody_came(wait_s);
}

base::Result<token::SignedIn> by_browser(const Account& account, const token::SignInPlaces& places,
                                         const LoginPlan& plan, Way way, bool input_closed) {
  base::Result<std::unique_ptr<token::Browser>> browser = token::Browser::begin(account);
  if (!browser) return std::move(browser).error();
  const bool paste = way == Way::paste;
  if (paste) {
    show_paste(**browser);
  } else {
    show_browser(**browser, account);
  }
  const base::Done answered = wait_for_answer(**browser, paste, plan.wait_s, input_closed);
  if (!answered) return answered.error();
  const base::SignalHold hold;  // a code is good once
  return (*browser)->redeem(places);
}

void show_device(const token::Device& device, const Account& account) {
  const token::DevicePrompt& prompt = device.prompt();
  tell("Signing in " + account.user + " by a code (application " + account.client_id + ", for " +
       account.scope + ").\n");
  if (!prompt.message.empty()) tell(prompt.message + "\n");
  tell("\n  Open:  " + prompt.uri + "\n  Code:  " + prompt.code + "\n\n" +
       "Type it only if you asked for it yourself. It is good for " +
       std::to_string((prompt.expires_in_s + 59) / 60) + " minutes.\n");
  if (person_is_there()) tell(qr_code(prompt.full_uri.empty() ? prompt.uri : prompt.full_uri));
}

// The code, or nothing where policy forbids codes and another way may go on.
base::Result<std::optional<token::SignedIn>> by_device(const Account& account,
                                                       const token::SignInPlaces& places,
                                                       const LoginPlan& plan) {
  token::Device device(account, places);
  const auto end =
      [&device](const base::Error& error) -> base::Result<std::optional<token::SignedIn>> {
    if (!device.paste_instead()) return error;
    tell(error.cause + "; going on by browser and paste.\n\n");
    return std::optional<token::SignedIn>();
  };
  const base::Done started = device.start();
  if (!started) return end(started.error());
  show_device(device, account);
  const base::Deadline deadline = base::Deadline::after_ms(plan.wait_s * 1000);
  while (!deadline.passed()) {
    poll(nullptr, 0, sooner(device.wait_ms(), deadline.left_ms()));
    const base::SignalHold hold;
    base::Result<std::optional<token::SignedIn>> polled = device.poll();
    if (!polled) return end(polled.error());
    if (polled->has_value()) return polled;
  }
  return nobody_came(plan.wait_s);
}

}  // namespace

Way usual_way(const cli::Desk& desk, bool is_root) {
  if (is_root && desk.browser.empty()) return Way::paste;
  return desk.over_ssh || !desk.display ? Way::paste : Way::browser;
}

base::Result<token::SignedIn> sign_in(const Account& account, const token::SignInPlaces& places,
                                      const LoginPlan& plan, bool input_closed) {
  if (account.grant != account::Grant::user) return token::sign_in_unattended(account, places);
  Way way = plan.way == Way::automatic ? usual_way(cli::read_desk(), geteuid() == 0) : plan.way;
  if (way == Way::device) {
    base::Result<std::optional<token::SignedIn>> by_code = by_device(account, places, plan);
    if (!by_code) return std::move(by_code).error();
    if (by_code->has_value()) return std::move(**by_code);
    way = Way::paste;
  }
  return by_browser(account, places, plan, way, input_closed);
}

}  // namespace verb
