#include "doctor/foresee.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "catch.h"

using base::Fault;
using doctor::foresee;

namespace {

account::Configuration with(const account::Account& account) {
  account::Configuration configuration;
  configuration.accounts.push_back(account);
  return configuration;
}

account::Account plain() {
  account::Account account;
  account.name = "work";
  account.where = "mailbearer.conf:3";
  return account;
}

// A folder with a socket that listens in it.
class Listener {
 public:
  Listener() {
    std::string pattern = std::filesystem::temp_directory_path() / "foresee-XXXXXX";
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path().copy(name.sun_path, sizeof name.sun_path - 1);
    REQUIRE(bind(socket_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
    REQUIRE(listen(socket_.get(), 4) == 0);
  }
  ~Listener() { std::filesystem::remove_all(folder_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  std::string path() const { return folder_ + "/socket"; }

 private:
  std::string folder_;
  base::Fd socket_;
};

}  // namespace

TEST_CASE("foresee: a sound account with nothing missing is no finding", "[doctor]") {
  CHECK(foresee(with(plain()), {}).empty());
}

TEST_CASE("foresee: files and programs that are not there will surely fail, at their line",
          "[doctor]") {
  account::Account account = plain();
  account.ca_file = "/nonexistent/ca.pem";
  account.secret_command = {"/nonexistent/pass", "show"};
  account.settings.push_back({"ca_file", account.ca_file, "mailbearer.conf:7"});
  const auto found = foresee(with(account), {});
  REQUIRE(found.size() == 2);
  CHECK(found[0].fault == Fault::config);
  CHECK(found[0].cause == "mailbearer.conf:7: ca_file /nonexistent/ca.pem is not there");
  CHECK(found[1].cause ==
        "mailbearer.conf:3: secret_command names /nonexistent/pass, which cannot be run");
}

TEST_CASE("foresee: an agent and a session bus are what they are now", "[doctor]") {
  const Listener listener;
  account::Account account = plain();
  account.delivery = account::Delivery::queue;
  account.keyring = account::Keyring::secret_service;
  doctor::ForeseePlaces places;
  places.helper = "/bin/true";
  places.sockets = {listener.path()};
  places.session_bus = listener.path();
  CHECK(foresee(with(account), places).empty());
  places.sockets = {"/nonexistent/submit.sock"};
  places.session_bus = "/nonexistent/bus";
  const auto found = foresee(with(account), places);
  REQUIRE(found.size() == 2);
  CHECK(found[0].fault == Fault::unavailable);
  CHECK(found[0].cause.find("delivery = queue needs an agent") != std::string::npos);
  CHECK(found[1].cause.find("this session has no D-Bus (/nonexistent/bus)") != std::string::npos);
  places.helper = "/nonexistent/helper";
  CHECK(foresee(with(account), places)[1].fault == Fault::config);
}

TEST_CASE("foresee: a faulty account is told elsewhere", "[doctor]") {
  account::Account account = plain();
  account.ca_file = "/nonexistent/ca.pem";
  account.broken = base::failure(Fault::config, "broken");
  CHECK(foresee(with(account), {}).empty());
}
