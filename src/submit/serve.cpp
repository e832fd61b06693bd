#include "submit/serve.h"

#include <array>
#include <string>
#include <utility>

#include "base/clock.h"

namespace submit {

using base::Done;
using base::done;

namespace {

class Service {
 public:
  Service(net::Stream& stream, const SessionRules& rules, const Accept& accept,
          const Secure& secure)
      : stream_(&stream), secure_(secure), rules_(rules), accept_(accept), session_(rules, [this] {
          return stream_->take_file();
        }) {}

  Done run() {
    while (!session_.ended()) {
      // Replies of a pipelined flight leave together, before we wait for more (RFC 2920 3.2).
      Done flushed = flush();
      if (flushed && session_.wants_tls()) flushed = start_tls();
      if (!flushed) return flushed;
      Done heard = session_.waits() ? done() : hear();
      if (!heard) return heard;
      if (session_.waits()) {
        heard = judge();
        if (!heard) return heard;
      }
    }
    Done last = flush();
    // Who says QUIT need not wait for the answer.
    return session_.said_quit() ? done() : last;
  }

 private:
  base::Deadline patience() const { return base::Deadline::after_ms(rules_.idle_ms); }

  Done start_tls() {
    base::Result<std::unique_ptr<net::Stream>> secured = secure_(*stream_);
    if (!secured) return std::move(secured).error();
    secured_ = std::move(*secured);
    stream_ = secured_.get();
    session_.tls_is_there();
    return done();
  }

  Done flush() {
    if (!session_.has_replies()) return done();
    return stream_->write(session_.take_replies(), patience());
  }

  // A function of its own: the delivery that follows needs the stack that the buffer takes.
  [[gnu::noinline]] Done hear() {
    std::array<char, 64 * 1024>
        buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init) filled below
    base::Result<std::size_t> got = stream_->read(buffer.data(), buffer.size(), patience());
    if (!got) return std::move(got).error();
    if (*got == 0) return base::failure(base::Fault::unavailable, "connection closed");
    session_.hear(std::string_view(buffer.data(), *got));
    return done();
  }

  Done judge() {
    // QUIT may stand behind the message, not heard yet.
    if (session_.heard_all()) {
      const base::Result<bool> more = stream_->has_input();
      if (more.ok() && *more) {
        Done heard = hear();
        // A caller who has gone hears no verdict; what it handed over is delivered all the same.
        if (!heard && heard.error().fault != base::Fault::unavailable) return heard;
      }
    }
    base::Trace trace;
    if (session_.wishes().trace) {
      // Each line leaves at once, so that -v shows a slow server as it is; a listener who left
      // does not stop the delivery.
      trace = [this](std::string_view line) {
        session_.trace(line);
        (void)flush().ok();
      };
    }
    const bool more_to_come = !session_.leaving();
    session_.answer(accept_(session_.take_submission(), trace, more_to_come));
    return done();
  }

  net::Stream* stream_;
  const Secure& secure_;
  std::unique_ptr<net::Stream> secured_{};
  const SessionRules& rules_;
  const Accept& accept_;
  Session session_;
};

}  // namespace

Done serve(net::Stream& stream, const SessionRules& rules, const Accept& accept,
           const Secure& secure) {
  return Service(stream, rules, accept, secure).run();
}

}  // namespace submit
