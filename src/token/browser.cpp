#include "token/browser.h"

#include <optional>
#include <utility>

#include "base/clock.h"
#include "token/authorization.h"
#include "token/loopback.h"
#include "token/paste.h"
#include "token/pkce.h"
#include "token/refusal.h"

namespace token {

namespace {

constexpr std::int64_t settle_ms = 250;
constexpr std::size_t typed_limit_bytes = std::size_t{64} * 1024;
// In the address when there is no port: nothing listens there, and what counts is the address.
constexpr std::uint16_t port_of_nobody = 1;

// What a person types: whole when a line has ended and nothing more has come for a moment.
struct Typed {
  base::Secret text{};
  bool ended = false;
  base::Deadline settled = base::Deadline::never();

  void add(std::string_view bytes) {
    if (text.size() + bytes.size() > typed_limit_bytes) text.wipe();
    text.append(bytes);
    ended = ended || bytes.find_first_of("\r\n") != std::string_view::npos;
    settled = ended ? base::Deadline::after_ms(settle_ms) : base::Deadline::never();
  }
  void forget() { *this = Typed(); }
};

}  // namespace

struct Browser::State {
  explicit State(const account::Account& of) : account(of) {}

  const account::Account& account;
  SignInWords words{};
  std::unique_ptr<Loopback> loopback{};
  std::string redirect{};
  std::string url{};
  Typed typed{};
  std::optional<RedirectAnswer> answer{};
  base::Error complaint{};

  Step judge_typed();
};

Browser::Step Browser::State::judge_typed() {
  const bool blank = typed.text.reveal().find_first_not_of(" \t\r\n") == std::string_view::npos;
  if (blank) {  // Enter alone: the person is reading
    typed.forget();
    return Step::waiting;
  }
  base::Result<RedirectAnswer> read = read_pasted(typed.text.reveal(), words.state);
  typed.forget();
  if (!read) {
    complaint = std::move(read).error();
    return Step::mistyped;
  }
  answer = std::move(*read);
  return Step::answered;
}

base::Result<std::unique_ptr<Browser>> Browser::begin(const account::Account& account) {
  auto state = std::make_unique<State>(account);
  base::Result<SignInWords> words = make_sign_in_words();
  if (!words) return std::move(words).error();
  state->words = std::move(*words);
  base::Result<std::unique_ptr<Loopback>> loopback = Loopback::open(state->words.state);
  if (loopback) state->loopback = std::move(*loopback);
  state->redirect = redirect_uri(state->loopback ? state->loopback->port() : port_of_nobody);
  base::Result<std::string> url = authorization_url(account, state->words, state->redirect);
  if (!url) return std::move(url).error();
  state->url = std::move(*url);
  return std::unique_ptr<Browser>(new Browser(std::move(state)));
}

Browser::Browser(std::unique_ptr<State> state) : state_(std::move(state)) {}
Browser::~Browser() = default;

const std::string& Browser::url() const {
  return state_->url;
}

std::uint16_t Browser::port() const {
  return state_->loopback ? state_->loopback->port() : std::uint16_t{0};
}

void Browser::add_watched(std::vector<pollfd>& watched) const {
  if (state_->loopback) state_->loopback->add_watched(watched);
}

int Browser::wait_ms() const {
  base::Deadline next = state_->typed.settled;
  if (state_->loopback) next = next.or_sooner(state_->loopback->next_deadline());
  return next.left_ms();
}

void Browser::typed(std::string_view bytes) {
  state_->typed.add(bytes);
}

Browser::Step Browser::step() {
  if (state_->answer) return Step::answered;
  if (state_->loopback) {
    state_->answer = state_->loopback->step();
    if (state_->answer) return Step::answered;
  }
  return state_->typed.settled.passed() ? state_->judge_typed() : Step::waiting;
}

const base::Error& Browser::complaint() const {
  return state_->complaint;
}

base::Result<SignedIn> Browser::redeem(const SignInPlaces& places) {
  if (!state_->answer) return base::failure(base::Fault::bug, "no sign-in was answered yet");
  if (!state_->answer->error.empty()) return refusal_of(*state_->answer, state_->account);
  CodeToRedeem code;
  code.code = std::move(state_->answer->code);
  code.verifier = state_->words.verifier.clone();
  code.redirect_uri = state_->redirect;
  code.nonce = state_->words.nonce;
  state_->loopback.reset();  // a code is used once, and nobody else is waited for
  return token::redeem(state_->account, places, code);
}

}  // namespace token
