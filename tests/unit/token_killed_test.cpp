// Storing a refresh token, killed at every system call: before it and after it. What lies in the
// keyring then is the old one or the new one, whole, and the next one can be stored.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "base/text.h"
#include "token/credential.h"
#include "token_fixture.h"

using base::Secret;
using fixture::Home;
using token::Kind;

namespace {

// True when the work ended before its stop number `moment` (each call stops twice).
template <typename Work>
bool outlived(int moment, Work work) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    work();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFSTOPPED(status));
  ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_EXITKILL);
  for (int stop = 0; stop < moment; ++stop) {
    REQUIRE(ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) == 0);
    REQUIRE(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status)) return true;
    REQUIRE(WIFSTOPPED(status));
  }
  kill(child, SIGKILL);
  REQUIRE(waitpid(child, &status, 0) == child);
  return false;
}

std::string stored(const account::Account& account) {
  auto keyring = token::open_keyring(account, {});
  auto found = (*keyring)->load(account, Kind::refresh_token);
  if (!found) return "!" + found.error().cause;
  return found->has_value() ? std::string((*found)->reveal()) : "none";
}

bool store(const account::Account& account, const std::string& token) {
  auto keyring = token::open_keyring(account, {});
  return (*keyring)->store(account, Kind::refresh_token, Secret(token)).ok();
}

constexpr int most_stops = 4000;

}  // namespace

TEST_CASE("killed: the first refresh token is there whole, or not at all", "[token]") {
  int none = 0;
  int whole = 0;
  int moment = 0;
  for (bool ended = false; !ended; ++moment) {
    REQUIRE(moment < most_stops);
    Home home;
    const auto account = fixture::account_in(home);
    ended = outlived(moment, [&account] { store(account, "first-token"); });
    const std::string held = stored(account);
    INFO("stop " << moment << ": " << held);
    // The key comes before the token, so a token that is there can be opened.
    REQUIRE((held == "none" || held == "first-token"));
    (held == "none" ? none : whole) += 1;
    REQUIRE(store(account, "second-token"));
    REQUIRE(stored(account) == "second-token");
  }
  CHECK(none > 20);
  CHECK(whole > 1);
}

TEST_CASE("killed: of a rotated refresh token the old or the new one is held, whole", "[token]") {
  int old = 0;
  int rotated = 0;
  int moment = 0;
  for (bool ended = false; !ended; ++moment) {
    REQUIRE(moment < most_stops);
    Home home;
    const auto account = fixture::account_in(home);
    REQUIRE(store(account, "old-token"));
    ended = outlived(moment, [&account] {
      token::Credentials credentials(account, {});
      auto used = credentials.load(Kind::refresh_token);
      auto room = credentials.reserve(Kind::refresh_token, *used);
      room->reset();
      (void)credentials.replace(Kind::refresh_token, *used, Secret("new-token"));
    });
    const std::string held = stored(account);
    INFO("stop " << moment << ": " << held);
    REQUIRE((held == "old-token" || held == "new-token"));
    (held == "old-token" ? old : rotated) += 1;
    REQUIRE(store(account, "third-token"));
  }
  CHECK(old > 20);
  CHECK(rotated > 1);
}
