#include "agent/control.h"

#include <grp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "submit/peer.h"

namespace agent {

namespace {

constexpr int most_callers = 16;
constexpr int most_of_root = 4;  // beside them: root waits for nobody else
constexpr int most_of_uid = 4;
constexpr std::size_t line_limit = 1024;
constexpr std::int64_t request_ms = 10'000;
constexpr std::int64_t secret_ms = 10'000;
constexpr std::int64_t visit_ms = 60'000;

bool in_group(const mail::Peer& peer, const char* name) {
  group record{};
  group* found = nullptr;
  std::vector<char> buffer(std::size_t{64} * 1024);
  if (getgrnam_r(name, &record, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return false;
  }
  return std::find(peer.groups.begin(), peer.groups.end(), found->gr_gid) != peer.groups.end();
}

}  // namespace

Control::Control(base::Fd listener, ControlDoors doors)
    : listener_(std::move(listener)),
      bell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      doors_(std::move(doors)),
      pool_(most_callers + most_of_root),
      thread_([this] { serve_all(); }) {}

Control::~Control() {
  const std::uint64_t one = 1;
  (void)!write(bell_.get(), &one, sizeof one);
  thread_.join();
  {
    // Nobody who goes on asking, or does not read, may keep the agent from ending.
    const std::lock_guard<std::mutex> hold(lock_);
    over_ = true;
    for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
  }
  pool_.finish();
}

void Control::serve_all() {
  for (;;) {
    std::array<pollfd, 2> ends = {pollfd{listener_.get(), POLLIN, 0},
                                  pollfd{bell_.get(), POLLIN, 0}};
    if (poll(ends.data(), ends.size(), -1) < 0 && errno != EINTR) return;
    if (ends[1].revents != 0) return;
    if (ends[0].revents == 0) continue;
    base::Fd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket.open()) {
      welcome(std::move(socket));
    } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
      usleep(100'000);  // the caller waits in the backlog
    }
  }
}

// Whoever comes when all places are taken is hung up on: a person asks again.
void Control::welcome(base::Fd socket) {
  base::Result<mail::Peer> peer = submit::peer_of(socket.get());
  if (!peer) return;
  {
    const std::lock_guard<std::mutex> hold(lock_);
    if (!has_place_locked(peer->uid)) return;
    ++callers_[peer->uid];
  }
  const auto shared = std::make_shared<base::Fd>(std::move(socket));
  pool_.add([this, shared, who = *peer](std::size_t) {
    if (enter(shared->get())) serve(std::move(*shared), who);
    const std::lock_guard<std::mutex> hold(lock_);
    if (--callers_[who.uid] == 0) callers_.erase(who.uid);
  });
}

bool Control::has_place_locked(uid_t uid) const {
  const auto here = callers_.find(uid);
  if (here != callers_.end() && here->second >= most_of_uid) return false;
  int others = 0;
  for (const auto& [one, count] : callers_) others += one == 0 ? 0 : count;
  return uid == 0 || others < most_callers;
}

// False: nobody is served any more.
bool Control::enter(int socket) {
  const std::lock_guard<std::mutex> hold(lock_);
  if (!over_) sockets_.insert(socket);
  return !over_;
}

void Control::leave(int socket) {
  const std::lock_guard<std::mutex> hold(lock_);
  sockets_.erase(socket);
}

void Control::serve(base::Fd socket, const mail::Peer& peer) {
  const int number = socket.get();
  net::FdStream stream(std::move(socket));
  converse(stream, peer);
  leave(number);  // before the stream closes it: the number may be another's at once
}

void Control::converse(net::FdStream& stream, const mail::Peer& peer) const {
  net::LineReader lines(stream, line_limit);
  const bool may_all = peer.uid == 0 || peer.uid == geteuid() || in_group(peer, "mailbearer");
  const base::Deadline visit = base::Deadline::after_ms(visit_ms);
  while (!visit.passed()) {
    base::Result<std::string> line = lines.line(base::Deadline::after_ms(request_ms));
    if (!line || *line == "QUIT") return;
    Asked asked{*line, peer, may_all, [&](std::size_t bytes) -> base::Result<base::Secret> {
                  base::Secret secret;
                  std::array<char, 4096> buffer{};
                  const base::Deadline end = base::Deadline::after_ms(secret_ms);
                  while (secret.size() < bytes) {
                    const std::size_t wanted = std::min(buffer.size(), bytes - secret.size());
                    base::Result<std::size_t> got = lines.read(buffer.data(), wanted, end);
                    if (!got) return std::move(got).error();
                    if (*got == 0)
                      return base::failure(base::Fault::io, "the secret was cut short");
                    secret.append(std::string_view(buffer.data(), *got));
                  }
                  explicit_bzero(buffer.data(), buffer.size());
                  return secret;
                }};
    bool heard = true;
    const std::string last = answer_request(doors_, asked, [&](const std::string& text) {
      // A long list is read in one visit, or not to its end.
      heard = heard && stream.write("250-" + text + "\r\n", visit).ok();
      return heard;
    });
    if (!heard || !stream.write(last + "\r\n", base::Deadline::after_ms(request_ms))) return;
  }
}

}  // namespace agent
