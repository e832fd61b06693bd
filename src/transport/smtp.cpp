#include "transport/smtp.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/replies.h"
#include "base/text.h"

namespace transport {

namespace {

constexpr std::int64_t last_words_ms = 1'000;
constexpr std::int64_t slowest_bytes_per_ms = 32;

// The stage for the table of replies.
std::string_view table_name(Stage stage) {
  switch (stage) {
    case Stage::banner:
      return "banner";
    case Stage::ehlo:
      return "ehlo";
    case Stage::starttls:
      return "starttls";
    case Stage::auth:
      return "auth";
    case Stage::mail:
      return "mail";
    case Stage::rcpt:
      return "rcpt";
    case Stage::data:
      return "data";
    case Stage::content:
    case Stage::end:
      return "end";
  }
  return "end";
}

// The same for a person: "closed the connection after AUTH".
std::string moment(Stage stage) {
  switch (stage) {
    case Stage::banner:
      return "before its greeting";
    case Stage::content:
      return "while it was sent the message";
    case Stage::end:
      return "after the message";
    default:
      break;
  }
  std::string word(table_name(stage));
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  return "after " + word;
}

bool is_host_name(std::string_view name) {
  return name.find('.') != std::string_view::npos &&
         std::all_of(name.begin(), name.end(), [](char c) {
           const char low = base::to_lower(c);
           return base::is_digit(c) || (low >= 'a' && low <= 'z') || c == '.' || c == '-';
         });
}

}  // namespace

Phases Phases::scaled(std::int64_t timeout_s, std::uint64_t message_bytes) {
  const std::int64_t unit = std::clamp<std::int64_t>(timeout_s, 1, 3600) * 1000;
  Phases phases;
  phases.connect_ms = unit;
  phases.reply_ms = 2 * unit;
  phases.piece_ms = 6 * unit;
  phases.end_ms = 20 * unit;
  const auto bytes = static_cast<std::int64_t>(std::min<std::uint64_t>(message_bytes, 1ULL << 40));
  phases.attempt_ms = 30 * unit + bytes / slowest_bytes_per_ms;
  return phases;
}

Dialogue::Dialogue(const account::Account& account, const Phases& phases, base::Trace trace)
    : account_(&account),
      phases_(phases),
      trace_(std::move(trace)),
      attempt_(base::Deadline::after_ms(phases.attempt_ms)),
      reader_(reply_line_limit) {}

base::Done Dialogue::open(Wire& wire) {
  wire.start_over();
  base::Done step = reach(wire);
  // RFC 5321 5.1: of several addresses each is tried, until one is ready to talk.
  while (!step && step.error().fault == base::Fault::unavailable && wire.another() &&
         !attempt_.passed()) {
    hang_up();
    step = reach(wire);
  }
  if (!step) return step;
  step = hello();
  if (!step || account_->smtp_tls != account::SmtpTls::starttls) return step;
  step = start_tls(wire);
  if (!step) return step;
  return hello();
}

void Dialogue::begin(const account::Account& account, const Phases& phases, base::Trace trace) {
  account_ = &account;
  phases_ = phases;
  trace_ = std::move(trace);
  attempt_ = base::Deadline::after_ms(phases.attempt_ms);
}

void Dialogue::rest() {
  ++messages_;
  trace_ = {};
  sender_.clear();
}

bool Dialogue::silent() {
  if (!stream_) return false;
  const base::Result<bool> speaks = reader_.has_input();
  return speaks.ok() && !*speaks;
}

bool Dialogue::had_nothing_since() const {
  const std::optional<net::TcpProgress> now = stream_ ? stream_->progress() : std::nullopt;
  return marked_ && now && now->peer_closed && now->acknowledged == marked_->acknowledged;
}

bool Dialogue::says_more() {
  const base::Result<bool> speaks = reader_.has_input();
  if (!speaks || !*speaks) return false;
  for (const std::string_view farewell : {"221", "421"}) {
    const base::Result<bool> leaving = reader_.next_is(farewell);
    if (!leaving || *leaving) return false;  // it goes, with or without a word
  }
  return true;
}

base::Done Dialogue::reach(Wire& wire) {
  base::Done step = connect(wire);
  if (step && account_->smtp_tls == account::SmtpTls::implicit) step = secure(wire);
  return step ? greeting() : step;
}

base::Done Dialogue::connect(Wire& wire) {
  return adopt(wire.connect(phases_.connect_ms));
}

base::Done Dialogue::adopt(base::Result<std::unique_ptr<net::Stream>> made) {
  if (!made) {
    base::Error error = std::move(made).error();
    error.account = account_->name;
    return error;
  }
  stream_ = std::move(*made);
  reader_.attach(*stream_);
  return base::done();
}

base::Done Dialogue::greeting() {
  base::Result<Reply> banner = reply(Stage::banner);
  if (!banner) return std::move(banner).error();
  if (!banner->positive()) return judged(*banner, Stage::banner);
  return base::done();
}

base::Done Dialogue::hello() {
  offers_ = Capabilities();
  base::Result<Reply> answer = ask("EHLO " + greeting_name() + "\r\n", Stage::ehlo);
  if (!answer) return std::move(answer).error();
  if (!answer->positive()) return judged(*answer, Stage::ehlo);
  offers_ = parse_capabilities(*answer);
  return base::done();
}

base::Done Dialogue::start_tls(Wire& wire) {
  if (!offers_.starttls) {
    base::Error error = base::failure(base::Fault::unavailable, server() + " offers no STARTTLS",
                                      "check smtp_host and smtp_port, or set smtp_tls = implicit");
    error.account = account_->name;
    return error;
  }
  base::Result<Reply> answer = ask("STARTTLS\r\n", Stage::starttls);
  if (!answer) return std::move(answer).error();
  if (!answer->positive()) return judged(*answer, Stage::starttls);
  // Plaintext behind the reply would be taken for words of the secured server.
  if (reader_.holds_more()) return out_of_turn(Stage::starttls);
  return secure(wire);
}

base::Done Dialogue::secure(Wire& wire) {
  reader_.forget();
  offers_ = Capabilities();
  return adopt(wire.secure(std::move(stream_), within(phases_.reply_ms)));
}

// Servers that take a sign-in do not care; a relay or Direct Send wants the host's own full name. A
// private host name is shown to neither.
std::string Dialogue::greeting_name() const {
  if (!account_->helo.empty()) return account_->helo;
  std::array<char, 256> name{};
  if (account_->auth == account::Auth::none && gethostname(name.data(), name.size() - 1) == 0 &&
      is_host_name(name.data())) {
    return name.data();
  }
  return "[127.0.0.1]";
}

base::Deadline Dialogue::within(std::int64_t ms) const {
  return base::Deadline::after_ms(ms).or_sooner(attempt_);
}

std::int64_t Dialogue::patience_ms(Stage stage) const {
  if (stage == Stage::content) return phases_.piece_ms;
  return stage == Stage::end || content_in_air_ ? phases_.end_ms : phases_.reply_ms;
}

void Dialogue::trace_sent(std::string_view shown) const {
  if (!trace_) return;
  for (const std::string_view line : base::split(shown, '\n')) {
    if (!line.empty()) trace_(">>> " + base::clean(base::trim(line), reply_line_limit));
  }
}

base::Done Dialogue::send(std::string_view bytes, Stage stage, std::string_view shown) {
  return put(bytes, stage, shown, false);
}

base::Done Dialogue::send_ahead(std::string_view bytes, Stage stage, std::string_view shown) {
  return put(bytes, stage, shown, true);
}

base::Done Dialogue::put(std::string_view bytes, Stage stage, std::string_view shown, bool asked) {
  if (!stream_) return base::failure(base::Fault::bug, "no connection to " + server());
  const Stage during = stage == Stage::end ? Stage::content : stage;
  base::Result<bool> speaks = asked ? base::Result<bool>(false) : reader_.has_input();
  if (!speaks) return explained(speaks.error(), during);
  if (*speaks) return unasked(during);
  trace_sent(shown);
  base::Done sent = stream_->write(bytes, within(patience_ms(during)));
  if (sent) return sent;
  base::Error error = last_words(explained(sent.error(), during), during);
  if (stage == Stage::end && error.said.empty()) error.fault = base::Fault::outcome_unknown;
  return error;
}

// What the server says before it is sent what it should answer. A farewell counts at any time, a
// refusal while the content goes out; taken for the answer to what is sent next, anything else
// would be a verdict on something it has not seen.
base::Error Dialogue::unasked(Stage stage) {
  base::Result<Reply> said = read_reply(reader_, within(last_words_ms), trace_, blot_);
  if (!said && (said.error().sys == ECONNRESET || said.error().sys == EPIPE)) {
    return explained(said.error(), stage);
  }
  const bool refusing = said && stage == Stage::content && said->code >= 400;
  if (refusing || (said && said->code == 421)) return judged(*said, stage);
  base::Error error = out_of_turn(stage);
  error.said = said ? one_line(*said) : said.error().said;
  return error;
}

// A server that gives up says why before it closes; that is worth more than "closed".
base::Error Dialogue::last_words(base::Error error, Stage stage) {
  if (error.sys == ETIMEDOUT) return error;
  base::Result<Reply> said = read_reply(reader_, within(last_words_ms), trace_, blot_);
  if (!said || said->code < 400) return error;
  return judged(*said, stage);
}

base::Result<Reply> Dialogue::reply(Stage stage) {
  if (!stream_) return base::failure(base::Fault::bug, "no connection to " + server());
  base::Result<Reply> got = read_reply(reader_, within(patience_ms(stage)), trace_, blot_);
  if (!got) return explained(got.error(), stage);
  return got;
}

base::Result<Reply> Dialogue::ask(std::string_view command, Stage stage) {
  base::Done sent = send(command, stage);
  if (!sent) return std::move(sent).error();
  return reply(stage);
}

base::Error Dialogue::explained(const base::Error& error, Stage stage) const {
  base::Error out = error;
  out.account = account_->name;
  out.cure = "try again";
  const std::string seconds = std::to_string((patience_ms(stage) + 999) / 1000) + " s";
  if (error.fault == base::Fault::protocol) {
    out.cause = server() + " sent " + error.cause + " " + moment(stage);
    out.cure = "check smtp_host and smtp_port";
  } else if (error.sys == ETIMEDOUT) {
    out.cause = server() + " was silent for " + seconds + " " + moment(stage);
  } else if (error.sys == ECONNRESET || error.sys == EPIPE) {
    out.cause = server() + " closed the connection " + moment(stage);
  } else {
    out.cause = "connection to " + server() + " failed " + moment(stage) + " (" + error.cause + ")";
  }
  return out;
}

base::Error Dialogue::out_of_turn(Stage stage) const {
  base::Error error = base::failure(base::Fault::protocol,
                                    server() + " sent more than it was asked " + moment(stage),
                                    "check smtp_host and smtp_port");
  error.account = account_->name;
  return error;
}

base::Error Dialogue::judged(const Reply& reply, Stage stage, std::string_view recipient) const {
  base::SmtpReplyFacts facts;
  facts.code = reply.code;
  facts.status = reply.status;
  facts.text = reply.text;
  facts.stage = table_name(stage);
  facts.by_password =
      account_->auth == account::Auth::plain || account_->auth == account::Auth::login;
  facts.account = account_->name;
  facts.user = account_->user;
  facts.sender = sender_;
  facts.host = account_->smtp_host;
  facts.recipient = recipient;
  return base::judge_smtp_reply(facts);
}

std::string Dialogue::server() const {
  return base::clean(account_->smtp_host, 255) + ":" + std::to_string(account_->smtp_port);
}

std::string Dialogue::concealed(std::string text) const {
  const std::vector<Blot::Piece> whole = {{&text, 0}};
  blot_.over(whole);
  return text;
}

void Dialogue::quit() {
  if (stream_ && !reader_.holds_more()) {
    trace_sent("QUIT");
    // The mail is decided; whether this arrives is of no interest.
    static_cast<void>(stream_->write("QUIT\r\n", within(phases_.quit_ms)).ok());
  }
  hang_up();
}

void Dialogue::hang_up() {
  reader_.forget();
  stream_.reset();
}

Capabilities parse_capabilities(const Reply& ehlo) {
  Capabilities out;
  // The first line is the server's name.
  for (std::size_t i = 1; i < ehlo.lines.size(); ++i) {
    std::string line = ehlo.lines[i];
    std::replace(line.begin(), line.end(), '=', ' ');  // the old "AUTH=LOGIN"
    std::vector<std::string> words = base::words(line);
    if (words.empty()) continue;
    for (std::string& word : words) {
      for (char& c : word) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    const std::string& keyword = words[0];
    if (keyword == "STARTTLS") out.starttls = true;
    if (keyword == "PIPELINING") out.pipelining = true;
    if (keyword == "CHUNKING") out.chunking = true;
    if (keyword == "8BITMIME") out.eight_bit = true;
    if (keyword == "SMTPUTF8") out.smtputf8 = true;
    if (keyword == "DSN") out.dsn = true;
    std::int64_t limit = 0;
    if (keyword == "SIZE") {
      out.size = true;
      if (words.size() > 1 && base::parse_number(words[1], 0, INT64_MAX, limit)) {
        out.size_limit = static_cast<std::uint64_t>(limit);
      }
    }
    if (keyword == "AUTH") {
      out.auth = true;
      out.mechanisms.insert(out.mechanisms.end(), words.begin() + 1, words.end());
    }
  }
  return out;
}

}  // namespace transport
