// What the tests of the queue share: a private folder, a submission, a queue on a standing clock.
#pragma once

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/random.h"
#include "mail/message.h"
#include "mail/submission.h"
#include "queue/run.h"

namespace queue_stand {

class Folder {
 public:
  Folder() {
    std::array<char, 32> name{"/tmp/mailbearer-test-XXXXXX"};
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name.data();
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }
  std::size_t files(const std::string& in) const {
    std::size_t count = 0;
    for (const auto& one : std::filesystem::directory_iterator(path_ + "/" + in)) {
      (void)one;
      ++count;
    }
    return count;
  }

 private:
  std::string path_;
};

inline std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

inline mail::Submission submission(const std::vector<std::string>& to, const std::string& from,
                                   const std::string& body = "Hello.\r\n", uid_t uid = 1000) {
  mail::Submission out;
  out.id = base::random_hex(16);
  out.peer.uid = uid;
  out.at = 1'800'000'000;
  out.envelope.sender_given = true;
  out.envelope.sender = *mail::parse_reverse_path(from);
  for (const std::string& one : to) {
    mail::Recipient recipient;
    recipient.mailbox = *mail::parse_mailbox(one);
    mail::add_recipient(out.envelope, recipient);
  }
  base::Scratch bytes;
  if (!bytes.append("From: me@corp.example\r\nSubject: A test\r\nMessage-ID: <1@corp.example>\r\n"
                    "Bcc: hidden@x.example\r\n\r\n" +
                    body))
    std::abort();
  out.message = std::move(*mail::split(std::move(bytes)));
  return out;
}

inline queue::AccountFacts account_named(const std::string& name) {
  queue::AccountFacts facts;
  facts.name = name;
  facts.rules.account = name;
  facts.rules.user = *mail::parse_mailbox("me@corp.example");
  facts.rules.from = {"*@corp.example"};
  facts.rules.sender_domain = "corp.example";
  facts.rules.local_domains = {"localhost"};
  facts.rules.local_mail_to = {*mail::parse_mailbox("ops@corp.example")};
  return facts;
}

constexpr queue::QueueMs begin_ms = queue::QueueMs{1'800'000'000} * 1000;

inline base::Fate fate(base::Fate::State state, const std::string& said = {},
                       const std::string& status = {}) {
  base::Fate out;
  out.state = state;
  const bool refused = state == base::Fate::State::refused;
  const bool held = state == base::Fate::State::held;
  out.error = base::failure(refused ? base::Fault::bad_recipient
                            : held  ? base::Fault::sign_in_needed
                                    : base::Fault::unavailable,
                            refused ? "recipient unknown" : "no way there");
  out.error.said = said;
  out.error.status = status;
  return out;
}

}  // namespace queue_stand
