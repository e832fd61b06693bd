// A small agent for tests/faults/spool.py, which kills it at every system call. What it delivers it
// writes as one line into SENT: id, size and checksum of the bytes, and whether the queue said that
// it may be a duplicate. On standard output: "accepted ID" once the queue has said so.
//   spool_driver run SPOOL SENT ID...     accepts each, then delivers what is due
//   spool_driver crowd SPOOL SENT COUNT   16 threads accept COUNT messages together
//   spool_driver rest SPOOL SENT DAYS     days later: delivers what is left, says what remains
//   spool_driver scan SPOOL               how long opening takes, and how much memory
//   spool_driver fill SPOOL COUNT         COUNT messages, to be scanned
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "mail/prepare.h"
#include "queue/pack.h"
#include "queue/run.h"

namespace {

constexpr queue::QueueMs day_ms = queue::QueueMs{86400} * 1000;
constexpr queue::QueueMs begin_ms = queue::QueueMs{1'800'000'000} * 1000;

void say(int fd, const std::string& line) {
  if (write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(9);
}

queue::AccountFacts account_facts() {
  queue::AccountFacts facts;
  facts.name = "work";
  facts.rules.account = "work";
  facts.rules.user = *mail::parse_mailbox("me@corp.example");
  facts.rules.from = {"*@corp.example"};
  facts.rules.sender_domain = "corp.example";
  facts.rules.local_mail_to = {*mail::parse_mailbox("ops@corp.example")};
  return facts;
}

mail::Submission submission(const std::string& id, std::size_t body_bytes) {
  mail::Submission out;
  out.id = id;
  out.peer.uid = 0;
  out.at = 1'800'000'000;
  out.envelope.sender_given = true;
  out.envelope.sender = *mail::parse_mailbox("me@corp.example");
  mail::Recipient recipient;
  recipient.mailbox = *mail::parse_mailbox("ann@x.example");
  mail::add_recipient(out.envelope, recipient);
  std::string text = "From: me@corp.example\r\nSubject: " + id + "\r\n\r\n";
  while (text.size() < body_bytes) text += "a line of this message\r\n";
  base::Scratch bytes;
  if (!bytes.append(text)) _exit(8);
  out.message = std::move(*mail::split(std::move(bytes)));
  return out;
}

std::unique_ptr<queue::Queue> open_queue(const char* folder, queue::QueueMs now_ms) {
  queue::Options options;
  options.folder = folder;
  options.standing_clock = now_ms;
  options.limits.floor_bytes = 0;
  options.limits.floor_files = 0;
  options.limits.messages = 1'000'000;
  base::Result<std::unique_ptr<queue::Queue>> opened = queue::Queue::open(std::move(options));
  if (!opened) {
    say(2, "cannot open: " + opened.error().cause + "\n");
    _exit(7);
  }
  (*opened)->set_accounts({account_facts()});
  return std::move(*opened);
}

// What the provider took: the bytes as they would leave. false: they could not be read to their
// end, so that nothing was sent.
bool send(const queue::Work& work, int sent) {
  std::uint32_t crc = 0;
  std::uint64_t size = 0;
  const std::string header = work.message.message.header.text();
  const base::Done read = work.message.message.bytes.each_piece(work.message.message.body_offset,
                                                                [&](std::string_view piece) {
                                                                  crc = queue::crc32c(piece, crc);
                                                                  size += piece.size();
                                                                  return base::done();
                                                                });
  if (!read) return false;
  if (header.find("Subject: " + work.id) == std::string::npos) {
    say(sent, work.id + " broken\n");
    return true;
  }
  say(sent, work.id + " " + std::to_string(size) + " " + std::to_string(crc) +
                (work.maybe_duplicate ? " maybe\n" : " once\n"));
  return true;
}

void deliver_all(queue::Queue& queue, int sent) {
  for (int i = 0; i < 10'000; ++i) {
    std::optional<queue::Work> work = queue.take(0);
    if (!work) return;
    if (!work->resolved) {
      base::Result<mail::Prepared> prepared =
          mail::prepare(std::move(work->submission), account_facts().rules);
      if (!prepared || !queue.resolve(*work, "work", *prepared)) _exit(6);
      work->message = std::move(*prepared);
    }
    const base::Done marked = queue.mark(*work);
    if (!marked) {
      queue.settle(std::move(*work), marked.error());
      return;
    }
    base::Fate fate;
    fate.state = send(*work, sent) ? base::Fate::State::delivered : base::Fate::State::deferred;
    queue.settle(std::move(*work), {fate});
  }
}

int open_sent(const char* path) {
  return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

int run(const char* spool, const char* path, const std::vector<std::string>& ids) {
  const int sent = open_sent(path);
  const std::unique_ptr<queue::Queue> queue = open_queue(spool, begin_ms);
  for (const std::string& id : ids) {
    const base::Result<queue::Accepted> accepted = queue->accept(submission(id, 300'000), "work");
    say(1, (accepted ? "accepted " + accepted->id : "refused " + accepted.error().cause) + "\n");
  }
  deliver_all(*queue, sent);
  return 0;
}

int crowd(const char* spool, int count) {
  const std::unique_ptr<queue::Queue> queue = open_queue(spool, begin_ms);
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&queue, count, t] {
      for (int i = t; i < count; i += 16) {
        const base::Result<queue::Accepted> accepted =
            queue->accept(submission(base::random_hex(16), 2000), "work");
        if (accepted) say(1, "accepted " + accepted->id + "\n");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
}

int rest(const char* spool, const char* path, int days) {
  const std::unique_ptr<queue::Queue> queue = open_queue(spool, begin_ms + days * day_ms);
  deliver_all(*queue, open_sent(path));
  say(1, "remain " + std::to_string(queue->status().messages) + "\n");
  return 0;
}

int scan(const char* spool) {
  const std::int64_t begin = base::boot_ms();
  const std::unique_ptr<queue::Queue> queue = open_queue(spool, begin_ms);
  const std::int64_t took = base::boot_ms() - begin;
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  std::printf("messages %llu ms %lld rss_kb %ld\n",
              static_cast<unsigned long long>(queue->status().messages),
              static_cast<long long>(took), used.ru_maxrss);
  return 0;
}

int fill(const char* spool, int count) {
  const std::unique_ptr<queue::Queue> queue = open_queue(spool, begin_ms);
  for (int i = 0; i < count; ++i) {
    if (!queue->accept(submission(base::random_hex(16), 2000), "work")) return 5;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto is = [&](const char* verb, std::size_t least) {
    return words.size() >= least && words[0] == verb;
  };
  if (is("run", 4)) return run(argv[2], argv[3], {words.begin() + 3, words.end()});
  if (is("crowd", 4)) return crowd(argv[2], std::atoi(argv[4]));
  if (is("rest", 4)) return rest(argv[2], argv[3], std::atoi(argv[4]));
  if (is("scan", 2)) return scan(argv[2]);
  if (is("fill", 3)) return fill(argv[2], std::atoi(argv[3]));
  return 64;
}
