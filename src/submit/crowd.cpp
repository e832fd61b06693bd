#include "submit/crowd.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "submit/crowd_guest.h"
#include "submit/peer.h"

namespace submit {

using base::Done;
using base::done;

namespace {

constexpr Crowd::Ticket listener_ticket = 0;
constexpr Crowd::Ticket bell_ticket = 1;
constexpr Crowd::Ticket first_guest = 2;
constexpr std::int64_t tick_ms = 1000;
constexpr std::size_t unsent_limit = std::size_t{64} * 1024;
constexpr std::size_t command_bytes = 4096;  // heard at once: a short command has a long reply
constexpr std::size_t reserved_descriptors = 512;  // files of messages, helpers, connections

base::Error broken(const char* what) {
  return base::failure_errno(base::Fault::os, what, errno);
}

}  // namespace

Crowd::Crowd(base::Fd listener, CrowdRules rules, Take take)
    : listener_(std::move(listener)),
      rules_(std::move(rules)),
      take_(std::move(take)),
      last_ticket_(first_guest) {
  bell_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

Crowd::~Crowd() = default;

Done Crowd::prepare() {
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.open() || !bell_.open()) return broken("cannot wait for callers");
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    const auto most = static_cast<std::size_t>(files.rlim_cur);
    const std::size_t left =
        most > 2 * reserved_descriptors ? most - reserved_descriptors : most / 2;
    rules_.connections = std::min(rules_.connections, left);
  }
  for (const auto& [fd, ticket] :
       {std::pair(listener_.get(), listener_ticket), std::pair(bell_.get(), bell_ticket)}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = ticket;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      return broken("cannot wait for callers");
    }
  }
  return done();
}

Done Crowd::run() {
  Done ready = prepare();
  if (!ready) return ready;
  base::Deadline tick = base::Deadline::after_ms(tick_ms);
  base::Deadline end = base::Deadline::never();
  bool closing = false;
  while (!closing || (!drained() && !end.passed())) {
    std::array<epoll_event, 64> events{};
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 std::max(0, tick.left_ms()));
    if (count < 0 && errno != EINTR) return broken("cannot wait for callers");
    for (int i = 0; i < count; ++i) {
      const auto& event = events.at(static_cast<std::size_t>(i));
      const Ticket ticket = event.data.u64;
      if (ticket == listener_ticket) {
        admit();
      } else if (ticket == bell_ticket) {
        pass_words_on();
      } else if (const auto guest = guests_.find(ticket); guest != guests_.end()) {
        serve(*guest->second, event.events);
      }
    }
    if (stopping_ && !closing) {
      closing = true;
      end = base::Deadline::after_ms(rules_.drain_ms);
      listener_.reset();
    }
    if (tick.passed()) {
      part_idle();
      listen_again(true);
      tick = base::Deadline::after_ms(std::min(tick_ms, rules_.idle_ms));
    }
    while (envelopes_ > rules_.envelope_bytes && part_heaviest()) {
    }
    while (fill_place()) {
    }
  }
  return done();
}

// Nothing is owed to anybody any more.
bool Crowd::drained() const {
  return std::none_of(guests_.begin(), guests_.end(), [](const auto& entry) {
    return entry.second->session->waits() || !entry.second->unsent.empty();
  });
}

void Crowd::admit() {
  for (int i = 0; i < 64; ++i) {
    if (guests_.size() >= rules_.connections) {
      pollfd next{listener_.get(), POLLIN, 0};
      if (poll(&next, 1, 0) <= 0) return;  // nobody has to go for a caller who is not there
      if (!make_room()) return listen_again(false);
    }
    base::Fd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket.open()) {
      welcome(std::move(socket));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      // Whoever holds most of what ran out gives some of it back.
      if (!make_room()) return listen_again(false);
    } else if (errno != EINTR && errno != ECONNABORTED) {
      return;
    }
  }
}

// Whoever cannot be let in waits in the backlog; it would ring all the time meanwhile.
void Crowd::listen_again(bool listens) {
  if (listens == listens_ || !listener_.open()) return;
  epoll_event event{};
  event.events = listens ? std::uint32_t{EPOLLIN} : 0U;
  event.data.u64 = listener_ticket;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, listener_.get(), &event);
  listens_ = listens;
}

void Crowd::welcome(base::Fd socket) {
  base::Result<mail::Peer> peer = peer_of(socket.get());
  if (!peer) {
    // Who it is cannot be said; why it is turned away can.
    const std::string why =
        "554 5.7.1 not sent: " + peer.error().cause + "; " + peer.error().cure + " x=77\r\n";
    (void)!send(socket.get(), why.data(), why.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  const Ticket ticket = ++last_ticket_;
  const std::uint32_t uid = peer->uid;
  auto guest = std::make_unique<Guest>(ticket, std::move(socket), rules_, std::move(*peer));
  Guest& here = *guest;
  guests_.emplace(ticket, std::move(guest));
  Uid& whose = uids_[uid];
  ++whose.connections;
  if (!may_be_active(whose)) {
    whose.waiting.push_back(ticket);
    // The greeting tells that there is an agent; the rest may take its time.
    here.unsent += here.session->take_replies();
    if (!flush(here)) part(ticket);
    return;
  }
  activate(here);
}

void Crowd::activate(Guest& guest) {
  guest.active = true;
  guest.last_ms = base::boot_ms();
  ++uids_[guest.rules.peer.uid].active;
  ++active_;
  after(guest);
}

void Crowd::watch(Guest& guest, std::uint32_t events) {
  if (events == guest.watched) return;
  epoll_event event{};
  event.events = events;
  event.data.u64 = guest.ticket;
  // A session that waits for its verdict is not watched at all: a caller who has gone would ring
  // all the time.
  const int order = guest.watched == 0 ? EPOLL_CTL_ADD
                    : events == 0      ? EPOLL_CTL_DEL
                                       : EPOLL_CTL_MOD;
  epoll_ctl(epoll_.get(), order, guest.socket.get(), &event);
  guest.watched = events;
}

void Crowd::serve(Guest& guest, std::uint32_t events) {
  guest.last_ms = base::boot_ms();
  if ((events & EPOLLIN) != 0) {
    hear(guest);
  } else if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
    guest.gone = true;
  }
  after(guest);
}

// Once for each ring, so that nobody talks the others down.
void Crowd::hear(Guest& guest) {
  static thread_local std::array<char, 64 * 1024> buffer;
  const std::size_t most = guest.session->inside_data() ? buffer.size() : command_bytes;
  const ssize_t got = recv(guest.socket.get(), buffer.data(), most, 0);
  if (got > 0) {
    guest.session->hear({buffer.data(), static_cast<std::size_t>(got)});
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    guest.gone = true;
  }
}

// What follows from what was heard: a submission handed on, replies sent, the next thing waited
// for.
void Crowd::after(Guest& guest) {
  const Ticket ticket = guest.ticket;
  envelopes_ += guest.session->envelope_bytes() - guest.envelope;
  guest.envelope = guest.session->envelope_bytes();
  if (guest.session->waits() && !guest.session->taken()) {
    const Wishes wishes = guest.session->wishes();
    take_(ticket, guest.session->take_submission(), wishes);
  }
  guest.unsent += guest.session->take_replies();
  if (!flush(guest)) guest.gone = true;
  if (guest.session->waits())
    return watch(guest, guest.unsent.empty() || guest.gone ? 0U : std::uint32_t{EPOLLOUT});
  if (guest.gone || (guest.session->ended() && guest.unsent.empty())) return part(ticket);
  std::uint32_t events = guest.unsent.empty() ? 0U : std::uint32_t{EPOLLOUT};
  if (guest.unsent.size() < unsent_limit && !guest.session->ended()) events |= EPOLLIN;
  watch(guest, events);
}

bool Crowd::flush(Guest& guest) {
  while (!guest.unsent.empty() && !guest.gone) {
    const ssize_t sent =
        send(guest.socket.get(), guest.unsent.data(), guest.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    guest.unsent.erase(0, static_cast<std::size_t>(sent));
  }
  return true;
}

void Crowd::pass_words_on() {
  std::uint64_t rung = 0;
  (void)!read(bell_.get(), &rung, sizeof rung);
  std::vector<Word> words;
  {
    const std::lock_guard<std::mutex> lock(words_lock_);
    words.swap(words_);
  }
  for (Word& word : words) {
    const auto found = guests_.find(word.ticket);
    if (found == guests_.end()) continue;
    Guest& guest = *found->second;
    guest.last_ms = base::boot_ms();
    if (word.final) {
      guest.session->answer(word.verdict);
    } else {
      guest.session->trace(word.trace);
    }
    after(guest);
  }
}

void Crowd::post(Word word) {
  {
    const std::lock_guard<std::mutex> lock(words_lock_);
    words_.push_back(std::move(word));
  }
  wake();
}

void Crowd::wake() const {
  const std::uint64_t one = 1;
  (void)!write(bell_.get(), &one, sizeof one);
}

void Crowd::answer(Ticket ticket, Verdict verdict) {
  post({ticket, std::move(verdict), {}, true});
}

void Crowd::trace(Ticket ticket, std::string line) {
  post({ticket, {}, std::move(line), false});
}

void Crowd::stop() {
  stopping_ = true;
  wake();
}

}  // namespace submit
