// A scripted SMTP server on the other end of a socket pair, and a wire that leads to it and notes
// every write. `secure` only marks the stream as encrypted: TLS itself has tests of its own.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "account/account.h"
#include "base/text.h"
#include "mail/prepare.h"
#include "transport/connections.h"
#include "transport/smtp_delivery.h"

namespace script {

// A stage's answer is a reply, or one of these words.
inline const std::string close_it = "CLOSE";
inline const std::string hang = "HANG";
inline const std::string loris = "LORIS";
inline const std::string wait = "WAIT ";  // and then the reply behind it

struct Behaviour {
  std::string offers =
      "250-here\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE 1000000\r\n"
      "250-AUTH XOAUTH2 OAUTHBEARER PLAIN LOGIN\r\n250-DSN\r\n250-SMTPUTF8\r\n"
      "250 STARTTLS\r\n";
  std::string tls_offers{};  // empty: the same
  // banner starttls ehlo ehlo2 mail rcpt data bdat end rset, and rcpt:ADDRESS; replies with their
  // CRLF; "mail2" and so on for the second message
  std::map<std::string, std::string> answers{};
  std::string early{};             // said a moment after 354, in a packet of its own
  std::deque<std::string> auth{};  // one per line that the client sends from AUTH on
};

struct Seen {
  std::vector<std::string> lines{};  // commands, AUTH lines
  std::string content{};  // what came after 354, up to and with the final dot, or by BDAT
  std::vector<std::string> messages{};  // the contents that were complete, one after the other
  bool complete = false;
  bool quit = false;
};

class Server {
 public:
  Server(int fd, Behaviour behaviour)
      : fd_(fd), behaviour_(std::move(behaviour)), thread_([this] { serve(); }) {}
  ~Server() {
    stop_ = true;
    thread_.join();
    close(fd_);
  }
  // Ends the connection between two messages.
  void leave() { shutdown(fd_, SHUT_RDWR); }
  Seen seen() {
    const std::lock_guard<std::mutex> guard(lock_);
    return seen_;
  }

 private:
  bool fill() {
    std::array<char, 65536> piece;
    const ssize_t got = recv(fd_, piece.data(), piece.size(), 0);
    if (got <= 0) return false;
    buffer_.append(piece.data(), static_cast<std::size_t>(got));
    return true;
  }
  bool line(std::string& out) {
    for (;;) {
      const std::size_t end = buffer_.find("\r\n");
      if (end != std::string::npos) {
        out = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        const std::lock_guard<std::mutex> guard(lock_);
        seen_.lines.push_back(out);
        return true;
      }
      if (!fill()) return false;
    }
  }
  // False: the script ends here.
  bool answer(const std::string& what) {
    if (what == close_it) return false;
    if (what.starts_with(wait)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(400));
      return answer(what.substr(wait.size()));
    }
    if (what == hang) {
      while (fill()) {
      }
      return false;
    }
    if (what == loris) {
      while (!stop_ && send(fd_, "2", 1, MSG_NOSIGNAL) == 1) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      return false;
    }
    return send(fd_, what.data(), what.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(what.size());
  }
  std::string scripted(const std::string& stage, const std::string& otherwise) {
    const auto found = behaviour_.answers.find(stage);
    return found == behaviour_.answers.end() ? otherwise : found->second;
  }
  bool take_content() {
    for (;;) {
      const std::size_t end = buffer_.starts_with(".\r\n") ? 0 : buffer_.find("\r\n.\r\n");
      if (end != std::string::npos) {
        const std::size_t size = end == 0 && buffer_.starts_with(".\r\n") ? 3 : end + 5;
        const std::lock_guard<std::mutex> guard(lock_);
        seen_.content = buffer_.substr(0, size);
        seen_.messages.push_back(seen_.content);
        seen_.complete = true;
        buffer_.erase(0, size);
        return true;
      }
      if (!fill()) {
        const std::lock_guard<std::mutex> guard(lock_);
        seen_.content = buffer_;
        return false;
      }
    }
  }
  // RFC 3030: the count tells the end; a chunk after a refused one is read and refused.
  bool take_chunk(const std::string& command) {
    const std::vector<std::string> words = base::words(command);
    const auto count = static_cast<std::size_t>(std::stoul(words.at(1)));
    const bool last = words.size() > 2 && words[2] == "LAST";
    while (buffer_.size() < count && fill()) {
    }
    const bool whole = buffer_.size() >= count;
    {
      const std::lock_guard<std::mutex> guard(lock_);
      chunks_ += buffer_.substr(0, count);
      seen_.content = chunks_;
      if (whole && last) {
        seen_.complete = true;
        seen_.messages.push_back(chunks_);
      }
    }
    buffer_.erase(0, std::min(count, buffer_.size()));
    if (!whole) return false;
    if (last) chunks_.clear();
    return answer(last ? scripted("end", "250 2.0.0 OK <new@id>\r\n")
                       : scripted("bdat", "250 2.0.0 so far\r\n"));
  }
  bool respond(const std::string& command) {
    const auto is = [&](const char* verb) { return command.rfind(verb, 0) == 0; };
    if (is("EHLO")) {
      const bool second = secured_;
      return answer(scripted(second ? "ehlo2" : "ehlo", second && !behaviour_.tls_offers.empty()
                                                            ? behaviour_.tls_offers
                                                            : behaviour_.offers));
    }
    if (is("STARTTLS")) {
      secured_ = true;
      return answer(scripted("starttls", "220 go\r\n"));
    }
    if (is("MAIL")) {
      ++mails_;
      return answer(
          scripted("mail" + std::to_string(mails_), scripted("mail", "250 2.1.0 ok\r\n")));
    }
    if (is("RSET")) return answer(scripted("rset", "250 2.0.0 forgotten\r\n"));
    if (is("BDAT")) return take_chunk(command);
    if (is("RCPT")) {
      const std::string address =
          command.substr(9, command.find('>') == std::string::npos ? 0 : command.find('>') - 9);
      return answer(scripted("rcpt:" + address, scripted("rcpt", "250 2.1.5 ok\r\n")));
    }
    if (is("DATA")) {
      const std::string reply = scripted("data", "354 go ahead\r\n");
      if (!answer(reply)) return false;
      if (reply.rfind("354", 0) != 0) return true;
      if (!behaviour_.early.empty()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        if (!answer(behaviour_.early)) return false;
      }
      return take_content() && answer(scripted("end", "250 2.0.0 OK <new@id>\r\n"));
    }
    if (is("QUIT")) {
      const std::lock_guard<std::mutex> guard(lock_);
      seen_.quit = true;
      return false;
    }
    return answer("500 what?\r\n");
  }
  void serve() {
    bool going = answer(scripted("banner", "220 here ESMTP\r\n"));
    std::string command;
    while (going && line(command)) {
      if (command.rfind("AUTH", 0) == 0 || in_auth_) {
        std::string reply = "235 2.7.0 welcome\r\n";
        if (!behaviour_.auth.empty()) {
          reply = behaviour_.auth.front();
          behaviour_.auth.pop_front();
        }
        in_auth_ = reply.rfind("334", 0) == 0;
        going = answer(reply);
      } else {
        going = respond(command);
      }
    }
    shutdown(fd_, SHUT_RDWR);
  }

  int fd_;
  Behaviour behaviour_;
  std::atomic<bool> stop_{false};
  std::mutex lock_;
  Seen seen_;
  std::string buffer_;
  std::string chunks_;
  int mails_ = 0;
  bool secured_ = false;
  bool in_auth_ = false;
  std::thread thread_;  // last: starts when the rest is made
};

struct Written {
  std::string bytes{};
  bool encrypted = false;
};

class NotingStream : public net::Stream {
 public:
  NotingStream(base::Fd fd, bool secret, std::vector<Written>& notes, const bool& breaks)
      : inner_(std::move(fd)), encrypted_(secret), notes_(notes), breaks_(breaks) {}
  base::Result<bool> has_input() override { return inner_.has_input(); }
  base::Result<std::size_t> read(char* into, std::size_t count, base::Deadline by) override {
    return inner_.read(into, count, by);
  }
  base::Done write(std::string_view bytes, base::Deadline by) override {
    notes_.push_back({std::string(bytes), encrypted_});
    base::Done sent = inner_.write(bytes, by);
    if (!breaks_ || (bytes.find("\r\n.\r\n") == std::string_view::npos &&
                     bytes.find(" LAST\r\n") == std::string_view::npos)) {
      return sent;
    }
    base::Error error = base::failure(base::Fault::unavailable, "connection closed");
    error.sys = ECONNRESET;
    return error;
  }
  bool encrypted() const override { return encrypted_; }
  base::Fd take_socket() override { return inner_.take_socket(); }

 private:
  net::FdStream inner_;
  bool encrypted_;
  std::vector<Written>& notes_;
  const bool& breaks_;
};

// One behaviour a connection; the last one serves all further connections.
class ScriptedWire : public transport::Wire {
 public:
  explicit ScriptedWire(std::vector<Behaviour> behaviours) : behaviours_(std::move(behaviours)) {}
  base::Result<std::unique_ptr<net::Stream>> connect(std::int64_t) override {
    std::array<int, 2> ends{};
    if (called++ > 0) ++rounds_begun_late;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
    const std::size_t which = std::min(servers.size(), behaviours_.size() - 1);
    servers.push_back(std::make_unique<Server>(ends[1], behaviours_[which]));
    return std::unique_ptr<net::Stream>(
        std::make_unique<NotingStream>(base::Fd(ends[0]), false, writes, breaks_at_dot));
  }
  base::Result<std::unique_ptr<net::Stream>> secure(std::unique_ptr<net::Stream> plain,
                                                    base::Deadline) override {
    return std::unique_ptr<net::Stream>(
        std::make_unique<NotingStream>(plain->take_socket(), true, writes, breaks_at_dot));
  }
  void start_over() override { called = 0; }
  bool another() const override { return called < addresses; }
  std::size_t addresses = 1;          // of the server's name
  std::size_t called = 0;             // since the start
  std::size_t rounds_begun_late = 0;  // connections that did not begin with the first address
  std::vector<Written> writes;
  bool breaks_at_dot = false;  // the write that ends the content fails after all of it has left
  std::vector<std::unique_ptr<Server>> servers;

 private:
  std::vector<Behaviour> behaviours_;
};

inline Behaviour with_chunks() {
  Behaviour out;
  out.offers.insert(out.offers.find("250-8BITMIME"), "250-CHUNKING\r\n");
  return out;
}

inline account::Account an_account() {
  account::Account out;
  out.name = "work";
  out.user = "me@corp.example";
  out.smtp_host = "smtp.example";
  out.smtp_port = 587;
  out.sasl_ir = account::SaslIr::yes;
  return out;
}

inline mail::Prepared a_message(const std::vector<std::string>& recipients,
                                const std::string& body = "hello\r\n") {
  mail::Prepared out;
  out.envelope.sender = {"me", "corp.example"};
  for (const std::string& one : recipients) {
    const std::size_t at = one.find('@');
    mail::Recipient recipient;
    recipient.mailbox = {one.substr(0, at), one.substr(at + 1)};
    out.envelope.recipients.push_back(recipient);
  }
  out.message.header.append("Subject", "test");
  if (!out.message.bytes.append("Subject: test\r\n\r\n" + body)) std::abort();
  out.message.body_offset = std::string("Subject: test\r\n\r\n").size();
  if (!mail::measure_body(out.message)) std::abort();
  return out;
}

// The small deadlines of a test: generous for a loaded machine, short for a hanging server.
inline transport::Phases quick() {
  transport::Phases phases;
  phases.connect_ms = phases.reply_ms = phases.piece_ms = phases.end_ms = 10'000;
  phases.quit_ms = 1'000;
  phases.attempt_ms = 20'000;
  return phases;
}

// One delivery to a server that behaves so.
struct Run {
  explicit Run(Behaviour behaviour) : wire({std::move(behaviour)}) {}
  explicit Run(std::vector<Behaviour> behaviours) : wire(std::move(behaviours)) {}

  std::vector<base::Fate>& go() {
    transport::Delivery delivery;
    delivery.account = &account;
    delivery.message = &message;
    delivery.credential = [this](bool fresh) -> base::Result<base::Secret> {
      asked.push_back(fresh);
      if (fresh && fresh_fails.fault != base::Fault::bug) return base::Error(fresh_fails);
      return base::Secret(fresh ? fresh_token : token);
    };
    delivery.reencode = reencode;
    delivery.all_or_nothing = all_or_nothing;
    delivery.connections = connections;
    delivery.more_to_come = more_to_come;
    delivery.before_end = before_end;
    delivery.trace = [this](std::string_view line) { trace += std::string(line) + "\n"; };
    const std::int64_t before = base::boot_ms();
    fates = transport::deliver_by_smtp(delivery, wire, phases);
    took_ms = base::boot_ms() - before;
    for (const Written& one : wire.writes) {
      if (one.encrypted) continue;
      token_in_clear = token_in_clear || one.bytes.find(token) != std::string::npos ||
                       one.bytes.find("AUTH") != std::string::npos;
    }
    return fates;
  }
  const base::Fate& fate() const { return fates.at(0); }
  // What the server saw, once it is through.
  Seen seen(std::size_t connection = 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return wire.servers.at(connection)->seen();
  }

  account::Account account = an_account();
  mail::Prepared message = a_message({"you@else.example"});
  transport::Phases phases = quick();
  ScriptedWire wire;
  bool all_or_nothing = true;
  transport::Connections* connections = nullptr;
  bool more_to_come = false;
  std::function<base::Done(std::size_t first, std::size_t count)> before_end{};
  std::string token = "tok-canary-1";
  std::string fresh_token = "tok-canary-2";
  base::Error fresh_fails{};  // its fault is not `bug`: credential(true) fails so
  mail::Reencode reencode{};
  std::vector<bool> asked{};
  std::string trace{};
  std::vector<base::Fate> fates{};
  std::int64_t took_ms = 0;
  bool token_in_clear = false;
};

}  // namespace script
