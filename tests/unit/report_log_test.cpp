#include "report/log.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "base/file.h"
#include "catch.h"

using base::Fate;
using report::Addresses;
using report::Log;

namespace {

// A folder with the two sockets that a host has, as files of a test.
struct Host {
  Host() {
    char name[] = "/tmp/mailbearer-log-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path = name;
  }
  ~Host() { std::filesystem::remove_all(path); }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  report::LogPlaces places() const { return {path + "/journal", path + "/log"}; }
  base::Fd listen(const std::string& name) const {
    base::Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, (path + "/" + name).c_str());
    REQUIRE(bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return socket;
  }
  std::string text(const std::string& name) const {
    std::ifstream file(path + "/" + name);
    std::stringstream all;
    all << file.rdbuf();
    return all.str();
  }
  std::string path;
};

std::string received(const base::Fd& socket) {
  char buffer[16'384];
  const ssize_t got = recv(socket.get(), buffer, sizeof buffer, 0);
  return got < 0 ? std::string() : std::string(buffer, static_cast<std::size_t>(got));
}

Fate fate(const std::string& recipient, Fate::State state = Fate::State::delivered) {
  Fate out;
  out.recipient = recipient;
  out.state = state;
  out.said = "202 11-22";
  return out;
}

struct Example {
  Example() {
    account.name = "work";
    account.transport = account::Transport::graph;
    account.graph_endpoint = "https://graph.example:443/v1.0";
    attempt.id = "0123";
    attempt.uid = 33;
    attempt.sender = "me@x.example";
    attempt.account = &account;
    attempt.fates = &fates;
    attempt.size_bytes = 512;
    attempt.before_ms = 10;
    attempt.token_ms = 100;
    attempt.dialogue_ms = 310;
    attempt.client_request_id = "aa-bb";
    attempt.request_id = "11-22";
  }
  std::string line(Addresses addresses = Addresses::full) const {
    const auto lines = report::lines_of(attempt, addresses);
    REQUIRE(lines.size() == 1);
    return lines[0].text();
  }
  account::Account account{};
  std::vector<Fate> fates = {fate("ann@y.example")};
  report::Attempt attempt{};
};

}  // namespace

TEST_CASE("log: one line of names and values an attempt", "[report]") {
  Example example;
  CHECK(example.line() ==
        "id=0123 from=<me@x.example> to=<ann@y.example> nrcpt=1 size=512 uid=33 account=work "
        "transport=graph relay=graph.example:443 delay=0.42 delays=0.01/0.00/0.10/0.31 status=sent "
        "client-request-id=aa-bb request-id=11-22 reply=\"202 11-22\"");
  example.account.transport = account::Transport::smtp;
  example.account.smtp_host = "smtp.example";
  example.account.smtp_port = 587;
  example.attempt.sender.clear();
  example.attempt.next = "backup";
  example.fates = {fate("ann@y.example", Fate::State::held)};
  example.fates[0].error = base::failure(base::Fault::sign_in_needed, "sign-in expired");
  example.fates[0].error.said = "535 5.7.3 no";
  example.fates[0].error.status = "5.7.3";
  const std::string line = example.line();
  CHECK(line.find("from=<> ") != std::string::npos);
  CHECK(line.find("transport=smtp relay=smtp.example:587 ") != std::string::npos);
  CHECK(line.find("dsn=5.7.3 status=held next=backup ") != std::string::npos);
  CHECK(line.find("reply=\"sign-in expired [server: 535 5.7.3 no]\"") != std::string::npos);
}

TEST_CASE("log: recipients of one fate share a line, and no line is long", "[report]") {
  Example example;
  example.fates.clear();
  for (int i = 0; i < 45; ++i) example.fates.push_back(fate(std::to_string(i) + "@y.example"));
  example.fates.push_back(fate("last@y.example", Fate::State::unknown));
  const auto lines = report::lines_of(example.attempt, Addresses::full);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].good);
  CHECK_FALSE(lines[3].good);
  CHECK(lines[2].text().find("to=<40@y.example>,") != std::string::npos);
  CHECK(lines[3].text().find("nrcpt=46") != std::string::npos);
  CHECK(lines[3].text().find("status=unknown") != std::string::npos);
  example.fates = {fate(std::string(5000, 'a') + "@y.example"), fate("b@y.example")};
  for (const auto& line : report::lines_of(example.attempt, Addresses::full)) {
    CHECK(line.text().size() < 4096);
  }
}

TEST_CASE("A14: nothing from outside forges a line or a field", "[report]") {
  Example example;
  const std::string evil = "x\r\nid=1 status=sent \"y\\\" \x1B[2J%n \xE2\x80\xA8\x80 status=\"z";
  example.attempt.id = evil;
  example.attempt.sender = evil;
  example.fates = {fate(evil)};
  example.fates[0].said = evil + std::string(1'000'000, 'a');
  const std::string line = example.line();
  CHECK(line.size() < 4096);
  for (const char c : line) CHECK((c >= ' ' && c < 0x7F));
  // Every quote inside a value is escaped: outside of them stand only our own fields.
  std::string outside;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quoted && line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (!quoted) {
      outside += line[i];
    }
  }
  CHECK_FALSE(quoted);
  CHECK(outside.find(" id=1 ") == std::string::npos);
  CHECK(outside.find("status=sent") == outside.rfind("status="));
}

TEST_CASE("log: addresses in full, hashed, or not at all, in replies too", "[report]") {
  Example example;
  example.fates[0].said = "550 <Ann@y.example>: unknown, ask me@x.example.";
  const std::string hashed = example.line(Addresses::hashed);
  // printf %s ann@y.example | sha256sum
  CHECK(hashed.find("to=<#6bcd827e7a0e448a>") != std::string::npos);
  CHECK(hashed.find("550 <#6bcd827e7a0e448a>: unknown") != std::string::npos);
  const std::string none = example.line(Addresses::none);
  CHECK(none.find("nrcpt=1") != std::string::npos);
  CHECK(none.find("reply=\"550 <...>: unknown, ask ....\"") != std::string::npos);
  for (const std::string& line : {hashed, none}) {
    CHECK(line.find("y.example") == std::string::npos);
    CHECK(line.find("me@") == std::string::npos);
  }
  CHECK(none.find("from=") == std::string::npos);
  CHECK(report::addresses_of("none") == Addresses::none);
  CHECK(report::addresses_of("hashed") == Addresses::hashed);
  CHECK(report::addresses_of("full") == Addresses::full);
}

TEST_CASE("log: the journal gets fields, else syslog a line, else nobody", "[report]") {
  const Host host;
  Example example;
  const Log log("", Addresses::full, host.places());
  log.attempt(example.attempt);  // nobody listens: nothing happens
  const base::Fd syslog = host.listen("log");
  log.attempt(example.attempt);
  const std::string line = received(syslog);
  CHECK(line.rfind("<22>", 0) == 0);  // mail.info
  CHECK(line.find(" mailbearer[" + std::to_string(getpid()) + "]: id=0123 ") != std::string::npos);
  const base::Fd journal = host.listen("journal");
  example.fates[0].state = Fate::State::deferred;
  log.attempt(example.attempt);
  CHECK(received(syslog).empty());
  const std::string fields = "\n" + received(journal);
  for (const char* field :
       {"\nMESSAGE=id=0123 ", "\nPRIORITY=4\n", "\nSYSLOG_FACILITY=2\n",
        "\nSYSLOG_IDENTIFIER=mailbearer\n", "\nMAILBEARER_ID=0123\n",
        "\nMAILBEARER_CLIENT_REQUEST_ID=aa-bb\n", "\nMAILBEARER_STATUS=deferred\n"}) {
    INFO(field);
    CHECK(fields.find(field) != std::string::npos);
  }
  Log("none", Addresses::full, host.places()).attempt(example.attempt);
  CHECK(received(journal).empty());
}

TEST_CASE("log: a daemon that reads nothing holds nobody up", "[report]") {
  const Host host;
  const base::Fd deaf = host.listen("journal");
  Example example;
  const Log log("journal", Addresses::full, host.places());
  for (int i = 0; i < 2000; ++i) log.attempt(example.attempt);
  CHECK_FALSE(received(deaf).empty());
}

TEST_CASE("log: a file is appended to, ours alone, and no link is followed to it", "[report]") {
  const Host host;
  Example example;
  const Log log(host.path + "/mail.log", Addresses::full, host.places());
  log.attempt(example.attempt);
  log.attempt(example.attempt);
  const std::string text = host.text("mail.log");
  CHECK(text.find("Z mailbearer[") == 19);
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  struct stat facts {};
  REQUIRE(stat((host.path + "/mail.log").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  std::ofstream(host.path + "/victim") << "";
  REQUIRE(symlink((host.path + "/victim").c_str(), (host.path + "/link").c_str()) == 0);
  Log(host.path + "/link", Addresses::full).attempt(example.attempt);
  Log(host.path + "/missing/mail.log", Addresses::full).attempt(example.attempt);
  Log(host.path, Addresses::full).attempt(example.attempt);
  CHECK(host.text("victim").empty());
  // A pipe that nobody reads: not even an open that waits.
  REQUIRE(mkfifo((host.path + "/pipe").c_str(), 0600) == 0);
  Log(host.path + "/pipe", Addresses::full).attempt(example.attempt);
}
