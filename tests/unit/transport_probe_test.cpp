#include "transport/probe.h"

#include "catch.h"
#include "transport_script.h"

using script::Behaviour;
using script::ScriptedWire;
using transport::Probe;
using Reached = transport::Probe::Reached;

namespace {

Probe probed(ScriptedWire& wire, const account::Account& account, std::vector<bool>& asked) {
  return transport::probe_smtp(
      account,
      [&asked](bool fresh) -> base::Result<base::Secret> {
        asked.push_back(fresh);
        return base::Secret(fresh ? "tok-2" : "tok-1");
      },
      wire);
}

bool said(ScriptedWire& wire, std::size_t connection, const std::string& word) {
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  for (const std::string& line : wire.servers.at(connection)->seen().lines) {
    if (line.rfind(word, 0) == 0) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("probe: signs in, says QUIT, and sends nothing", "[transport]") {
  ScriptedWire wire({Behaviour()});
  std::vector<bool> asked;
  const Probe probe = probed(wire, script::an_account(), asked);
  CHECK(probe.reached == Reached::signed_in);
  CHECK(!probe.error);
  CHECK(probe.server == "smtp.example:587");
  CHECK(probe.mechanisms == std::vector<std::string>{"XOAUTH2", "OAUTHBEARER", "PLAIN", "LOGIN"});
  CHECK(said(wire, 0, "QUIT"));
  CHECK(!said(wire, 0, "MAIL"));
}

TEST_CASE("probe: a refusal names its reply and the account", "[transport]") {
  Behaviour refusing;
  refusing.auth = {"535 5.7.139 SmtpClientAuthentication is disabled for the Tenant. [X]\r\n",
                   "535 5.7.139 SmtpClientAuthentication is disabled for the Tenant. [X]\r\n"};
  ScriptedWire wire({refusing});
  std::vector<bool> asked;
  const Probe probe = probed(wire, script::an_account(), asked);
  CHECK(probe.reached == Reached::session);
  REQUIRE(probe.error);
  CHECK(probe.error->account == "work");
  CHECK(probe.error->said.find("5.7.139") != std::string::npos);
}

TEST_CASE("probe: a server that is not reached, or closes, is told apart from one that refuses",
          "[transport]") {
  Behaviour busy;
  busy.answers["banner"] = "421 4.3.2 busy\r\n";
  ScriptedWire wire({busy});
  std::vector<bool> asked;
  const Probe probe = probed(wire, script::an_account(), asked);
  CHECK(probe.reached == Reached::nothing);
  REQUIRE(probe.error);
  CHECK(probe.error->fault == base::Fault::unavailable);
  CHECK(asked.empty());
}

TEST_CASE("probe: nothing is said in the clear, and no credential asked for, with smtp_tls = none",
          "[transport]") {
  ScriptedWire wire({Behaviour()});
  account::Account account = script::an_account();
  account.smtp_tls = account::SmtpTls::none;
  std::vector<bool> asked;
  const Probe probe = probed(wire, account, asked);
  REQUIRE(probe.error);
  CHECK(probe.error->fault == base::Fault::config);
  CHECK(wire.servers.empty());
  account.auth = account::Auth::none;
  CHECK(probed(wire, account, asked).reached == Reached::signed_in);
  CHECK(asked.empty());
}
