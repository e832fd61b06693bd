#include "token/obtain.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "token/cache.h"
#include "token/refresh.h"
#include "token_fixture.h"

using base::Fault;
using base::Secret;
using fixture::account_in;
using fixture::FakeHelper;
using fixture::Home;
using fixture::refusal;
using fixture::token_answer;
using token::Kind;
using token::Source;
using token::Want;

namespace {
int folder_sync_error = 0;
int allocation_error = 0;
}  // namespace

// In the place of the C library's: the disk that fails, and the one that is full.
int fsync(int fd) {
  struct stat facts {};
  errno = folder_sync_error;
  if (folder_sync_error != 0 && fstat(fd, &facts) == 0 && S_ISDIR(facts.st_mode)) return -1;
  return static_cast<int>(syscall(SYS_fsync, fd));
}

int posix_fallocate(int fd, off_t offset, off_t size) {
  if (allocation_error != 0) return allocation_error;
  return fallocate(fd, 0, offset, size) == 0 ? 0 : errno;
}

namespace {

Source::Places places(const std::string& runtime = {}) {
  Source::Places out;
  out.runtime_dir = runtime;
  return out;
}

void sign_in(const account::Account& account, const std::string& refresh_token) {
  auto keyring = token::open_keyring(account, {});
  REQUIRE(keyring.ok());
  REQUIRE((*keyring)->store(account, Kind::refresh_token, Secret(refresh_token)).ok());
}

std::string stored(const account::Account& account, Kind kind = Kind::refresh_token) {
  auto keyring = token::open_keyring(account, {});
  auto found = (*keyring)->load(account, kind);
  REQUIRE(found.ok());
  return found->has_value() ? std::string((*found)->reveal()) : "";
}

std::string got(Source& source, Want want = Want::usable) {
  auto token = source.get(want);
  return token ? std::string(token->reveal()) : "!" + token.error().cause;
}

}  // namespace

TEST_CASE("obtain: the first asks, the second finds the cache, in another process's shoes",
          "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  FakeHelper helper([](const net::Record& request) {
    CHECK(request.verb() == "token");
    CHECK(request.get("url") == "https://login.example.org/token");
    CHECK(request.get("form.grant_type") == "refresh_token");
    CHECK(request.get("form.refresh_token") == "refresh-1");
    CHECK(request.get("form.client_id") == "client");
    CHECK(request.get("form.scope") == "https://mail.example.org/send offline_access");
    CHECK_FALSE(request.has("form.client_secret"));
    return token_answer("access-1");
  });
  for (int i = 0; i < 3; ++i) {
    Source source(account, places(), helper.door());
    source.start();
    CHECK(got(source) == "access-1");
    CHECK(got(source) == "access-1");
  }
  CHECK(helper.requests == 1);
  CHECK(helper.opened == 1);
  for (const std::string& file : home.files("keyring", "")) {
    CHECK(fixture::content_of(file).find("access-1") == std::string::npos);
    CHECK(fixture::content_of(file).find("refresh-1") == std::string::npos);
  }
}

TEST_CASE("obtain: without start() it is the same", "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  FakeHelper helper([](const net::Record&) { return token_answer("access-1"); });
  Source source(account, places(), helper.door());
  CHECK(got(source) == "access-1");
}

TEST_CASE("obtain: what start() found is opened once, and not offered when it was refused",
          "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  int asked = 0;
  FakeHelper helper(
      [&](const net::Record&) { return token_answer("access-" + std::to_string(++asked)); });
  CHECK(got(*std::make_unique<Source>(account, places(), helper.door())) == "access-1");
  Source source(account, places(), helper.door());
  source.start();
  for (const std::string& file : home.files("keyring", "access-token")) {
    std::filesystem::remove(file);
  }
  CHECK(got(source) == "access-1");
  CHECK(got(source, Want::fresh) == "access-2");
  CHECK(got(source) == "access-2");
  CHECK(asked == 2);
}

TEST_CASE("obtain: the cache lies in the runtime folder when that is ours and 0700", "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  FakeHelper helper([](const net::Record&) { return token_answer("access-1"); });
  {
    Source source(account, places(home / "run"), helper.door());
    CHECK(got(source) == "access-1");
  }
  CHECK(home.files("run", "access-token").size() == 1);
  CHECK(home.files("keyring", "access-token").empty());
  REQUIRE(chmod((home / "run").c_str(), 0755) == 0);
  Source source(account, places(home / "run"), helper.door());
  CHECK(got(source) == "access-1");
  CHECK(helper.requests == 2);
  CHECK(home.files("keyring", "access-token").size() == 1);
}

TEST_CASE("T5: a rotated refresh token is stored before the access token is handed out",
          "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  FakeHelper helper([](const net::Record&) { return token_answer("access-1", 3600, "refresh-2"); });
  Source source(account, places(), helper.door());
  source.start();
  CHECK(got(source) == "access-1");
  CHECK(stored(account) == "refresh-2");
}

TEST_CASE("T5: a rotated refresh token is stored even if nobody waits for the access token",
          "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  FakeHelper helper([](const net::Record&) { return token_answer("access-1", 3600, "refresh-2"); });
  {
    Source source(account, places(), helper.door());
    source.start();
  }
  CHECK(stored(account) == "refresh-2");
}

TEST_CASE("T5: a keyring that cannot store is found before anything is asked", "[token]") {
  Home home;
  auto account = account_in(home);
  sign_in(account, "r-1");
  FakeHelper helper([](const net::Record&) { return token_answer("access", 3600, "r-2"); });
  for (const int sys : {ENOSPC, EDQUOT}) {
    Source source(account, places(), helper.door());
    allocation_error = sys;
    auto token = source.get(Want::usable);
    allocation_error = 0;
    REQUIRE_FALSE(token.ok());
    CHECK(token.error().fault == Fault::io);
    CHECK(token.error().sys == sys);
    CHECK(token.error().account == "work");
    CHECK(token.error().cure == "free space in " + account.keyring_dir + ", or make it writable");
  }
  CHECK(helper.requests == 0);
  CHECK(stored(account) == "r-1");
  CHECK(home.files("keyring", "").size() == 3);  // the token, two locks, nothing temporary
  Source source(account, places(), helper.door());
  CHECK(got(source) == "access");
  CHECK(stored(account) == "r-2");
  account.keyring_dir = "/proc/nowhere";
  CHECK((*token::open_keyring(account, {}))->reserve(account, Kind::refresh_token).error().fault ==
        Fault::cannot_create);
}

TEST_CASE("T5: what cannot rotate, or came from a file, needs no room in the keyring", "[token]") {
  Home home;
  auto account = account_in(home);
  account.refresh_token_file = home.write("token", "from-file\n", 0400);
  FakeHelper helper([](const net::Record&) { return token_answer("access", 0, "r-2"); });
  allocation_error = ENOSPC;
  Source from_file(account, places(), helper.door());
  CHECK(got(from_file) == "access");
  account.grant = account::Grant::app;
  auto keyring = token::open_keyring(account, {});
  REQUIRE((*keyring)->store(account, Kind::client_secret, Secret("s3cret")).ok());
  Source app(account, places(), helper.door());
  CHECK(got(app) == "access");
  allocation_error = 0;
}

TEST_CASE("T5: a rotation that stands but could not be synced keeps its access token", "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "r-1");
  FakeHelper helper([](const net::Record&) { return token_answer("access", 0, "r-2"); });
  Source source(account, places(), helper.door());
  folder_sync_error = EIO;
  const std::string token = got(source);
  folder_sync_error = 0;
  CHECK(token == "access");
  CHECK(stored(account) == "r-2");
}

TEST_CASE("T6: only where there is no place for a lock it goes on without one", "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "r-1");
  token::Refresh refresh(account, {}, {});
  CHECK(refresh.lock(0)->open());
  struct rlimit before {};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const struct rlimit none = {0, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto starved = refresh.lock(0);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE_FALSE(starved.ok());
  CHECK(starved.error().fault == Fault::os);
  CHECK(starved.error().account == "work");
  for (const std::string& path : home.files("keyring", "refresh-")) {
    if (path.rfind(".lock") != path.size() - 5) continue;
    std::filesystem::remove(path);
    std::filesystem::create_directory(path);
  }
  CHECK(refresh.lock(0).error().fault == Fault::io);
  std::filesystem::remove_all(home / "keyring");
  const auto nowhere = refresh.lock(0);
  REQUIRE(nowhere.ok());
  CHECK_FALSE(nowhere->open());
}

TEST_CASE("T7: a refused token is not offered again, and a newer one of others is taken first",
          "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  std::atomic<int> count{0};
  FakeHelper helper(
      [&](const net::Record&) { return token_answer("access-" + std::to_string(++count)); });
  Source first(account, places(), helper.door());
  Source second(account, places(), helper.door());
  CHECK(got(first) == "access-1");
  CHECK(got(second) == "access-1");
  CHECK(got(first, Want::fresh) == "access-2");
  CHECK(got(second, Want::fresh) == "access-2");
  CHECK(helper.requests == 2);
  CHECK(got(second, Want::fresh) == "access-3");
}

TEST_CASE("obtain: claims that a server asked for go into one request", "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  std::vector<std::string> claims;
  FakeHelper helper([&](const net::Record& request) {
    claims.emplace_back(request.get("form.claims"));
    return token_answer("access-" + std::to_string(claims.size()));
  });
  Source source(account, places(), helper.door());
  CHECK(got(source) == "access-1");
  const auto token = source.get(Want::fresh, "{\"access_token\":{}}");
  REQUIRE(token);
  CHECK(token->reveal() == "access-2");
  CHECK(got(source) == "access-2");
  CHECK(got(source, Want::fresh) == "access-3");
  CHECK(claims == std::vector<std::string>{"", "{\"access_token\":{}}", ""});
}

TEST_CASE("T1: invalid_grant needs a person, and is not asked again within a minute", "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  FakeHelper helper([](const net::Record&) { return refusal(400, "invalid_grant", "700082"); });
  for (int i = 0; i < 3; ++i) {
    Source source(account, places(), helper.door());
    auto token = source.get(Want::usable);
    REQUIRE_FALSE(token.ok());
    CHECK(token.error().fault == Fault::sign_in_needed);
    CHECK(token.error().cause == "sign-in expired (AADSTS700082, unused for 90 days)");
    CHECK(token.error().cure == "run: mailbearer login work");
    CHECK(token.error().account == "work");
  }
  CHECK(helper.requests == 1);
  sign_in(account, "refresh-2");  // a new credential is asked about at once
  Source source(account, places(), helper.door());
  CHECK_FALSE(source.get(Want::usable).ok());
  CHECK(helper.requests == 2);
  CHECK(stored(account) == "refresh-2");
}

TEST_CASE("T1: a newer refresh token that somebody stored meanwhile is used once", "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  FakeHelper helper([&](const net::Record& request) {
    if (request.get("form.refresh_token") == "refresh-2") return token_answer("access-2");
    sign_in(account, "refresh-2");
    return refusal(400, "invalid_grant");
  });
  Source source(account, places(), helper.door());
  CHECK(got(source) == "access-2");
  CHECK(helper.requests == 2);
}

TEST_CASE("obtain: a sign-in during the request is not overwritten by the rotation", "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  FakeHelper helper([&](const net::Record&) {
    sign_in(account, "refresh-by-login");
    return token_answer("access-1", 3600, "refresh-2");
  });
  Source source(account, places(), helper.door());
  CHECK(got(source) == "access-1");
  CHECK(stored(account) == "refresh-by-login");
}

TEST_CASE("T3: a busy endpoint is left alone for Retry-After", "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  FakeHelper helper([](const net::Record&) { return refusal(429, "", "", 40); });
  for (int i = 0; i < 2; ++i) {
    Source source(account, places(), helper.door());
    auto token = source.get(Want::usable);
    REQUIRE_FALSE(token.ok());
    CHECK(token.error().fault == Fault::unavailable);
    CHECK(token.error().retry_after_s >= 38);
    CHECK(token.error().retry_after_s <= 40);
  }
  CHECK(helper.requests == 1);
}

TEST_CASE("T3: the old access token serves while it lives, unless it was refused", "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  const std::string stamp =
      (*token::open_keyring(account, {}))->stamp(account, Kind::refresh_token);
  const auto keep = [&](std::int64_t left_s) {
    token::Cache cache(account, "", {});
    token::CachedToken old;
    old.token = Secret("old-access");
    old.issued_s = base::wall_seconds() + left_s - 3600;
    old.expires_s = old.issued_s + 3600;
    cache.store(old, stamp);
  };
  FakeHelper helper([&](const net::Record&) { return refusal(503, ""); });
  keep(120);  // inside the margin
  Source source(account, places(), helper.door());
  CHECK(got(source) == "old-access");
  CHECK(helper.requests == 1);
  CHECK(source.get(Want::fresh).error().fault == Fault::unavailable);
  keep(-1);
  Source late(account, places(), helper.door());
  CHECK(late.get(Want::usable).error().fault == Fault::unavailable);
}

TEST_CASE("T3: a helper that dies or says an error is temporary", "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  FakeHelper helper([](const net::Record&) {
    net::Record answer("answer");
    net::put_error(answer, base::failure(Fault::unavailable,
                                         "cannot reach login.example.org (timed out after 3 s)"));
    return answer;
  });
  Source source(account, places(), helper.door());
  CHECK(got(source) == "!cannot reach login.example.org (timed out after 3 s)");
  token::HelperDoor dead = {[]() -> base::Result<base::Fd> {
    std::array<int, 2> ends{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    close(ends[1]);
    return base::Fd(ends[0]);
  }};
  Source lonely(account, places(), dead);
  CHECK(lonely.get(Want::usable).error().fault == Fault::unavailable);
}

TEST_CASE("T4: an answer without a usable token is temporary and names the reason", "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  FakeHelper helper([](const net::Record&) {
    net::Record answer = token_answer("");
    answer.put("unusable", "it is not JSON");
    return answer;
  });
  Source source(account, places(), helper.door());
  CHECK(got(source) == "!unusable answer of the token endpoint: it is not JSON");
}

TEST_CASE("T4: a token too long for a SASL answer is refused with a clear sentence", "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  FakeHelper helper([](const net::Record&) { return token_answer(std::string(12000, 'a')); });
  Source source(account, places(), helper.door());
  auto token = source.get(Want::usable);
  CHECK(token.error().fault == Fault::config);
  CHECK(token.error().cause == "access token is too long for SMTP (12000 octets)");
}

TEST_CASE("T8: expiry counts from our own clock, and a token without a life is used once",
          "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  int life = 0;
  FakeHelper helper([&](const net::Record&) { return token_answer("access", life); });
  for (int i = 0; i < 2; ++i) {
    Source source(account, places(), helper.door());
    CHECK(got(source) == "access");
  }
  CHECK(helper.requests == 2);
  life = 300;  // no longer than the margin: still worth keeping
  for (int i = 0; i < 3; ++i) {
    Source source(account, places(), helper.door());
    CHECK(got(source) == "access");
  }
  CHECK(helper.requests == 3);
}

TEST_CASE("obtain: a cleared or replaced credential ends what the cache had", "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-1");
  FakeHelper helper([](const net::Record& request) {
    return token_answer("access-for-" + std::string(request.get("form.refresh_token")));
  });
  {
    Source source(account, places(), helper.door());
    CHECK(got(source) == "access-for-refresh-1");
  }
  sign_in(account, "refresh-2");
  {
    Source source(account, places(), helper.door());
    CHECK(got(source) == "access-for-refresh-2");
  }
  REQUIRE((*token::open_keyring(account, {}))->erase(account, Kind::refresh_token).ok());
  Source source(account, places(), helper.door());
  auto token = source.get(Want::usable);
  CHECK(token.error().fault == Fault::sign_in_needed);
  CHECK(token.error().cause == "not signed in yet");
}

TEST_CASE("obtain: grant = app with the secret from a file that others may read", "[token]") {
  Home home;
  auto account = account_in(home);
  account.grant = account::Grant::app;
  account.client_secret_file = home.write("secret", "s3cret ~.+\n", 0444);
  FakeHelper helper([](const net::Record& request) {
    CHECK(request.get("form.grant_type") == "client_credentials");
    CHECK(request.get("form.client_secret") == "s3cret ~.+");
    CHECK_FALSE(request.has("form.refresh_token"));
    return token_answer("access-1");
  });
  for (int i = 0; i < 2; ++i) {
    Source source(account, places(), helper.door());
    CHECK(got(source) == "access-1");
  }
  CHECK(helper.requests == 1);
  home.write("secret", "a-new-secret\n", 0444);
  FakeHelper wrong([](const net::Record&) { return refusal(401, "invalid_client", "7000215"); });
  Source source(account, places(), wrong.door());
  CHECK(source.get(Want::usable).error().fault == Fault::sign_in_needed);
}

TEST_CASE("obtain: nothing writable, no cache, still a token", "[token]") {
  Home home;
  auto account = account_in(home);
  account.grant = account::Grant::app;
  account.keyring_dir = "/proc/nowhere";
  account.client_secret_file = home.write("secret", "s3cret", 0400);
  FakeHelper helper([](const net::Record&) { return token_answer("access-1"); });
  for (int i = 0; i < 2; ++i) {
    Source source(account, places(), helper.door());
    source.start();
    CHECK(got(source) == "access-1");
  }
  CHECK(helper.requests == 2);
}

TEST_CASE("obtain: a rotated token of refresh_token_file lasts until the file changes", "[token]") {
  Home home;
  auto account = account_in(home);
  account.refresh_token_file = home.write("token", "from-file-1\n", 0444);
  std::string seen;
  FakeHelper helper([&](const net::Record& request) {
    seen = request.get("form.refresh_token");
    return token_answer("access", 0, seen + "+");
  });
  const auto ask = [&] {
    Source source(account, places(), helper.door());
    CHECK(got(source) == "access");
    return seen;
  };
  CHECK(ask() == "from-file-1");
  CHECK(ask() == "from-file-1+");
  CHECK(ask() == "from-file-1++");
  home.write("token", "from-file-2\n", 0444);
  CHECK(ask() == "from-file-2");
  CHECK(ask() == "from-file-2+");
}

TEST_CASE("obtain: what the account lacks is said before anything is asked", "[token]") {
  Home home;
  FakeHelper helper([](const net::Record&) { return token_answer("access"); });
  const auto cause = [&](auto change) {
    auto account = account_in(home);
    change(account);
    Source source(account, places(), helper.door());
    auto token = source.get(Want::usable);
    REQUIRE_FALSE(token.ok());
    CHECK(token.error().account == "work");
    CHECK_FALSE(token.error().cure.empty());
    return token.error().cause;
  };
  using account::Account;
  CHECK(cause([](Account& a) { a.grant = account::Grant::federated; }) ==
        "federated_token_file is not set");
  CHECK(cause([](Account& a) { a.token_endpoint = "http://login.example.org/token"; }) ==
        "token_endpoint does not begin with https://");
  CHECK(cause([](Account& a) { a.token_endpoint.clear(); }) == "token_endpoint is not set");
  CHECK(cause([](Account& a) { a.client_id.clear(); }) == "client_id is not set");
  CHECK(cause([](Account&) {}) == "not signed in yet");
  CHECK(helper.requests == 0);
}

TEST_CASE("obtain: the stored password, for auth = plain", "[token]") {
  Home home;
  auto account = account_in(home);
  FakeHelper helper([](const net::Record&) { return token_answer("access"); });
  Source source(account, places(), helper.door());
  CHECK(source.password().error().cause == "no password is stored");
  CHECK(source.password().error().cure == "run: mailbearer secret set work password");
  REQUIRE((*token::open_keyring(account, {}))->store(account, Kind::password, Secret("pw")).ok());
  CHECK(source.password()->reveal() == "pw");
  account.password_file = home.write("pw", "from file\r\n");
  Source other(account, places(), helper.door());
  CHECK(other.password()->reveal() == "from file");
}

namespace {

// A strict server shared by all processes: each refresh token is good once. Its state is a file.
net::Record strict_server(const std::string& state, const net::Record& request) {
  const base::Fd file(open(state.c_str(), O_RDWR | O_CLOEXEC));
  flock(file.get(), LOCK_EX);
  std::array<char, 64> text{};
  const ssize_t size = pread(file.get(), text.data(), text.size(), 0);
  const int count = std::atoi(std::string(text.data(), static_cast<std::size_t>(size)).c_str());
  if (request.get("form.refresh_token") != "refresh-" + std::to_string(count)) {
    return refusal(400, "invalid_grant");
  }
  usleep(50'000);
  const std::string next = std::to_string(count + 1);
  if (pwrite(file.get(), next.data(), next.size(), 0) < 0) return refusal(500, "");
  return token_answer("access-" + next, 3600, "refresh-" + next);
}

// Exit status: 0 when the process got the token.
int one_process(const account::Account& account, const std::string& state, bool early) {
  int result = 1;
  {
    FakeHelper helper([&](const net::Record& request) { return strict_server(state, request); });
    Source source(account, places(), helper.door());
    if (early) source.start();
    auto token = source.get(Want::usable);
    if (token && token->reveal() == "access-1") result = 0;
  }
  return result;
}

}  // namespace

TEST_CASE("T6: 20 processes at once make one token request, and all get the token", "[token]") {
  Home home;
  const auto account = account_in(home);
  sign_in(account, "refresh-0");
  const std::string state = home.write("state", "0");
  std::vector<pid_t> children;
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) _exit(one_process(account, state, i % 2 == 0));
    children.push_back(child);
  }
  int failures = 0;
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    if (status != 0) ++failures;
  }
  CHECK(failures == 0);
  CHECK(fixture::content_of(state) == "1");
  CHECK(stored(account) == "refresh-1");
}

TEST_CASE("T5: killed at any moment, the next process still gets a token or a clear sentence",
          "[token]") {
  Home home;
  const auto account = account_in(home);
  for (int delay_us = 0; delay_us < 100'000; delay_us += 4'000) {
    sign_in(account, "refresh-0");
    const std::string state = home.write("state", "0");
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) _exit(one_process(account, state, true));
    usleep(static_cast<useconds_t>(delay_us));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    FakeHelper helper([&](const net::Record& request) { return strict_server(state, request); });
    Source source(account, places(), helper.door());
    auto token = source.get(Want::usable);
    if (!token) CHECK(token.error().fault == Fault::sign_in_needed);
  }
}
