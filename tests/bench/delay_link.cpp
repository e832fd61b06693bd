// delay_link: a wire with a length. Joins two network namespaces by a pair of TUN devices, holds
// every packet for half the round-trip time, in order, and keeps a capture of what passed. TCP
// stays the kernel's own from end to end, so handshakes, delayed ACKs and Nagle's waiting are real.
//
//   delay_link NAME        makes device NAME in the namespace it was started in (the servers'
//   side), then
//                          a namespace of its own with a second device NAME (the clients' side);
//                          joins them
//
// Told what to do by lines on standard input, each answered by a line ("ok", or "error CAUSE"):
//   delay MICROSECONDS     how long each packet is held from now on
//   clear                  empties the capture
//   capture PATH           writes it as text, one packet a line:
//                          NANOSECONDS c|s SOURCE_PORT DESTINATION_PORT FLAGS SEQUENCE ACKNOWLEDGED
//                          LENGTH
//   pcap PATH              writes it for tcpdump and Wireshark (LINKTYPE_RAW, the first 96 octets
//   of each)
// The time is that at which the packet came to the link; FLAGS are those of TCP, in hexadecimal;
// LENGTH is the payload's. Ends with standard input. Needs root and /dev/net/tun. IPv4 only.
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <string>
#include <vector>

namespace {

constexpr std::size_t packet_limit = 65'536;
constexpr std::size_t held_limit = 20'000;   // packets in one direction; a real router drops, too
constexpr std::size_t kept_limit = 400'000;  // packets in the capture
constexpr std::size_t kept_octets = 96;

struct Held {
  std::int64_t due_ns;
  std::string octets;
};

struct Kept {
  std::int64_t at_ns;
  bool from_client;
  std::uint32_t length;
  std::array<unsigned char, kept_octets> head;
};

struct Direction {
  int from = -1;
  int to = -1;
  bool from_client = false;
  std::deque<Held> held;
};

std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "delay_link: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

int open_device(const char* name) {
  const int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device < 0) fail("/dev/net/tun");
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(device, TUNSETIFF, &request) < 0) fail("TUNSETIFF");
  return device;
}

std::uint32_t number(const unsigned char* octets, int size) {
  std::uint32_t value = 0;
  for (int i = 0; i < size; ++i) value = value << 8 | octets[i];
  return value;
}

// One line of the capture; false when the packet is no TCP.
bool tell(const Kept& packet, std::FILE* file) {
  const unsigned char* ip = packet.head.data();
  if (ip[0] >> 4 != 4 || ip[9] != 6) return false;
  const std::size_t header = (ip[0] & 15U) * 4;
  if (header + 20 > kept_octets) return false;
  const unsigned char* tcp = ip + header;
  const std::uint32_t payload =
      packet.length - static_cast<std::uint32_t>(header) - (tcp[12] >> 4) * 4U;
  return std::fprintf(file, "%" PRId64 " %c %u %u %02x %u %u %u\n", packet.at_ns,
                      packet.from_client ? 'c' : 's', number(tcp, 2), number(tcp + 2, 2), tcp[13],
                      number(tcp + 4, 4), number(tcp + 8, 4), payload) > 0;
}

void put32(std::FILE* file, std::uint32_t value) {
  std::fwrite(&value, sizeof value, 1, file);
}

class Link {
 public:
  Link(int servers, int clients) {
    ways_[0].from = ways_[1].to = clients;
    ways_[0].to = ways_[1].from = servers;
    ways_[0].from_client = true;
    kept_.reserve(4096);
  }

  void run() {
    for (;;) {
      const std::int64_t wait = deliver();
      std::array<pollfd, 3> events{
          {{STDIN_FILENO, POLLIN, 0}, {ways_[0].from, POLLIN, 0}, {ways_[1].from, POLLIN, 0}}};
      const timespec until{wait / 1'000'000'000, wait % 1'000'000'000};
      if (ppoll(events.data(), events.size(), wait < 0 ? nullptr : &until, nullptr) < 0 &&
          errno != EINTR) {
        fail("poll");
      }
      for (Direction& way : ways_) take(way);
      if (events[0].revents != 0 && !listen()) return;
    }
  }

 private:
  void take(Direction& way) {
    for (;;) {
      const ssize_t size = read(way.from, packet_.data(), packet_.size());
      if (size <= 0) return;
      const auto length = static_cast<std::size_t>(size);
      keep(way.from_client, length);
      if (way.held.size() >= held_limit) continue;
      way.held.push_back(
          {clock_ns(CLOCK_MONOTONIC) + delay_ns_, std::string(packet_.data(), length)});
    }
  }

  void keep(bool from_client, std::size_t length) {
    if (kept_.size() >= kept_limit) return;
    Kept one{clock_ns(CLOCK_MONOTONIC), from_client, static_cast<std::uint32_t>(length), {}};
    std::memcpy(one.head.data(), packet_.data(), std::min(length, kept_octets));
    kept_.push_back(one);
  }

  // Passes on what is due; says how long until the next, or -1 when nothing is held.
  std::int64_t deliver() {
    std::int64_t next = -1;
    for (Direction& way : ways_) {
      std::int64_t now = clock_ns(CLOCK_MONOTONIC);
      while (!way.held.empty() && way.held.front().due_ns <= now) {
        const std::string& octets = way.held.front().octets;
        if (write(way.to, octets.data(), octets.size()) < 0 && errno == EAGAIN) break;
        way.held.pop_front();
        now = clock_ns(CLOCK_MONOTONIC);
      }
      if (way.held.empty()) continue;
      const std::int64_t left = std::max<std::int64_t>(0, way.held.front().due_ns - now);
      if (next < 0 || left < next) next = left;
    }
    return next;
  }

  bool listen() {
    std::array<char, 4096> piece{};
    const ssize_t size = read(STDIN_FILENO, piece.data(), piece.size());
    if (size <= 0) return false;
    said_.append(piece.data(), static_cast<std::size_t>(size));
    for (std::size_t end = 0; (end = said_.find('\n')) != std::string::npos;) {
      const std::string line = said_.substr(0, end);
      said_.erase(0, end + 1);
      const std::string cause = obey(line);
      std::printf("%s\n", cause.empty() ? "ok" : ("error " + cause).c_str());
      std::fflush(stdout);
    }
    return true;
  }

  std::string obey(const std::string& line) {
    const std::size_t blank = line.find(' ');
    const std::string verb = line.substr(0, blank);
    const std::string word = blank == std::string::npos ? "" : line.substr(blank + 1);
    if (verb == "delay") {
      delay_ns_ = std::strtoll(word.c_str(), nullptr, 10) * 1000;
    } else if (verb == "clear") {
      kept_.clear();
    } else if (verb == "capture" || verb == "pcap") {
      std::FILE* file = std::fopen(word.c_str(), "we");
      if (file == nullptr) return std::strerror(errno);
      if (verb == "pcap") write_pcap(file);
      if (verb == "capture") {
        for (const Kept& packet : kept_) tell(packet, file);
      }
      if (std::fclose(file) != 0) return std::strerror(errno);
      if (kept_.size() >= kept_limit) return "the capture is full";
    } else {
      return "no such command: " + verb;
    }
    return "";
  }

  void write_pcap(std::FILE* file) const {
    // The classic format with nanoseconds; the clock is turned into the time of day.
    const std::int64_t offset = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
    for (const std::uint32_t word : {0xa1b23c4dU, 0x00040002U, 0U, 0U, 96U, 101U})
      put32(file, word);
    for (const Kept& packet : kept_) {
      const std::int64_t at = packet.at_ns + offset;
      const auto size =
          static_cast<std::uint32_t>(std::min<std::size_t>(packet.length, kept_octets));
      put32(file, static_cast<std::uint32_t>(at / 1'000'000'000));
      put32(file, static_cast<std::uint32_t>(at % 1'000'000'000));
      put32(file, size);
      put32(file, packet.length);
      std::fwrite(packet.head.data(), 1, size, file);
    }
  }

  std::array<Direction, 2> ways_{};
  std::int64_t delay_ns_ = 0;
  std::array<char, packet_limit> packet_{};
  std::vector<Kept> kept_;
  std::string said_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: delay_link NAME\n");
    return 64;
  }
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  const int servers = open_device(argv[1]);
  if (unshare(CLONE_NEWNET) != 0) fail("unshare");
  const int clients = open_device(argv[1]);
  // Packets are due in microseconds; both processors are busy with what is measured.
  const sched_param priority{1};
  sched_setscheduler(0, SCHED_FIFO, &priority);
  prctl(PR_SET_TIMERSLACK, 1);
  std::printf("ok\n");
  std::fflush(stdout);
  static Link link(servers, clients);
  link.run();
  return 0;
}
