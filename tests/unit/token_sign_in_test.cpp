#include "token/sign_in.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "token/browser.h"
#include "token/device.h"
#include "token/identity.h"
#include "token_fixture.h"

using base::Fault;
using base::Secret;
using fixture::FakeHelper;
using fixture::Home;
using fixture::refusal;
using token::Browser;
using token::Device;
using token::Kind;
using token::SignedIn;

namespace {

account::Account person_in(const Home& home) {
  account::Account account = fixture::account_in(home);
  account.authorization_endpoint = "https://login.example.org/authorize";
  account.device_authorization_endpoint = "https://login.example.org/device";
  account.scope = "https://mail.example.org/send openid offline_access";
  return account;
}

net::Record id_answer(const std::string& nonce) {
  net::Record answer = fixture::token_answer("access-1", 3600, "refresh-1");
  answer.put("scope", "https://mail.example.org/send openid");
  answer.put("id", "1");
  answer.put("id.iss", "https://login.example.org/5a9d/v2.0");
  answer.put("id.aud", "client");
  answer.put("id.nonce", nonce);
  answer.put("id.exp", std::to_string(base::wall_seconds() + 3600));
  answer.put("id.user", "Me@example.org");
  answer.put("id.tid", "5a9d");
  answer.put("id.oid", "object");
  answer.put("at.aud", "https://mail.example.org");
  answer.put("at.scp", "send");
  return answer;
}

token::SignInPlaces places_of(FakeHelper& helper) {
  token::SignInPlaces places;
  places.helper = helper.door();
  return places;
}

std::string value_in(const std::string& url, const std::string& name) {
  const std::size_t at = url.find("&" + name + "=");
  REQUIRE(at != std::string::npos);
  const std::size_t begin = at + name.size() + 2;
  return url.substr(begin, url.find('&', begin) - begin);
}

std::string stored(const account::Account& account) {
  auto keyring = token::open_keyring(account, {});
  auto found = (*keyring)->load(account, Kind::refresh_token);
  return found && found->has_value() ? std::string((*found)->reveal()) : "";
}

Browser::Step wait_for(Browser& browser) {
  for (int i = 0; i < 100; ++i) {
    const Browser::Step step = browser.step();
    if (step != Browser::Step::waiting) return step;
    std::vector<pollfd> watched;
    browser.add_watched(watched);
    const int ms = browser.wait_ms();
    poll(watched.data(), watched.size(), ms < 0 || ms > 50 ? 50 : ms);
  }
  return Browser::Step::waiting;
}

}  // namespace

TEST_CASE("browser: pasted, redeemed, kept, and the next message asks for nothing", "[token]") {
  Home home;
  const auto account = person_in(home);
  auto browser = Browser::begin(account);
  REQUIRE(browser.ok());
  const std::string url = (*browser)->url();
  const std::uint16_t port = (*browser)->port();
  CHECK(port != 0);
  FakeHelper helper([&](const net::Record& request) {
    CHECK(request.verb() == "token");
    CHECK(request.get("claims") == "1");
    CHECK(request.get("form.grant_type") == "authorization_code");
    CHECK(request.get("form.code") == "the-code-1");
    CHECK(request.get("form.redirect_uri") == "http://localhost:" + std::to_string(port));
    CHECK(request.get("form.client_id") == "client");
    CHECK(request.get("form.code_verifier").size() == 43);
    CHECK_FALSE(request.has("form.client_secret"));
    return id_answer(value_in(url, "nonce"));
  });
  const std::string line = "http://localhost:1/?code=the-code-1&state=" + value_in(url, "state");
  (*browser)->typed(line.substr(0, 40) + "\n");  // the terminal wrapped it
  CHECK((*browser)->step() == Browser::Step::waiting);
  (*browser)->typed(line.substr(40));
  (*browser)->typed("\r");
  REQUIRE(wait_for(**browser) == Browser::Step::answered);
  auto signed_in = (*browser)->redeem(places_of(helper));
  REQUIRE(signed_in.ok());
  CHECK(signed_in->user == "Me@example.org");
  CHECK(signed_in->tenant_id == "5a9d");
  CHECK(signed_in->doubt.empty());
  CHECK(signed_in->scopes.size() == 2);
  CHECK(signed_in->audience == "https://mail.example.org");
  CHECK(signed_in->expires_s - signed_in->asked_s == 3600);
  CHECK(stored(account).empty());
  REQUIRE(token::keep(account, places_of(helper), *signed_in).ok());
  CHECK(stored(account) == "refresh-1");
  token::Source source(account, {}, helper.door());
  auto access = source.get(token::Want::usable);
  REQUIRE(access.ok());
  CHECK(access->reveal() == "access-1");
  CHECK(helper.requests == 1);
  token::forget(account, {});
  CHECK(home.files("keyring", "access-token").empty());
}

TEST_CASE("browser: what was mistyped is said, and the port still ends it", "[token]") {
  Home home;
  const auto account = person_in(home);
  auto browser = Browser::begin(account);
  REQUIRE(browser.ok());
  (*browser)->typed("\n");
  CHECK(wait_for(**browser) == Browser::Step::waiting);
  (*browser)->typed("what?\n");
  REQUIRE(wait_for(**browser) == Browser::Step::mistyped);
  CHECK((*browser)->complaint().cause == "there is no code in what was pasted");
  (*browser)->typed("half of an ad");  // and then the browser was faster
  base::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons((*browser)->port());
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  const std::string text =
      "GET /?error=consent_required&error_description=AADSTS65001%3A+no&state=" +
      value_in((*browser)->url(), "state") +
      " HTTP/1.1\r\nHost: localhost:" + std::to_string((*browser)->port()) + "\r\n\r\n";
  REQUIRE(send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL) > 0);
  REQUIRE(wait_for(**browser) == Browser::Step::answered);
  FakeHelper helper([](const net::Record&) { return net::Record("answer"); });
  auto refused = (*browser)->redeem(places_of(helper));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == base::FaultClass::hold);
  CHECK(refused.error().account == "work");
  CHECK(refused.error().cause.find("AADSTS65001") != std::string::npos);
  CHECK(helper.requests == 0);
}

TEST_CASE("sign-in: an ID token of another app or sign-in is refused, a doubtful one not believed",
          "[token]") {
  Home home;
  auto account = person_in(home);
  const auto judged = [&](const std::string& name, const std::string& value) {
    net::Record answer = id_answer("nonce-1");
    answer.put(name, value);
    SignedIn into;
    base::Done done =
        token::read_identity(answer, account, {"nonce-1", base::wall_seconds()}, into);
    if (!done) return "!" + done.error().cause;
    CHECK(into.user.empty() != into.doubt.empty());
    return into.doubt;
  };
  CHECK(judged("id.nonce", "nonce-1").empty());
  CHECK(judged("id.aud", "other client").empty());
  CHECK(judged("id.iss", "login.example.org/5a9d").empty());
  CHECK(judged("id.nonce", "nonce-2") == "!the ID token belongs to another sign-in (nonce)");
  CHECK(judged("id.nonce", "") == "!the ID token belongs to another sign-in (nonce)");
  CHECK(judged("id.aud", "other") == "!the ID token belongs to another app (aud)");
  CHECK(judged("id.aud", "") == "!the ID token belongs to another app (aud)");
  CHECK(judged("id.iss", "https://evil.example/5a9d") ==
        "it names another issuer (https://evil.example/5a9d)");
  CHECK(judged("id.iss", "https://login.example.org.evil.example/5a9d").find("another issuer") !=
        std::string::npos);
  CHECK(judged("id.iss", "") == "it names no issuer");
  CHECK(judged("id.tid", "other") == "its issuer is another tenant than the user's");
  CHECK(judged("id.exp", "1000") == "it has expired: check the clock of this machine");
  account.authorization_endpoint = "https://accounts.example.com/auth";
  CHECK(judged("id.iss", "accounts.example.com/5a9d").empty());
  SignedIn none;
  CHECK(token::read_identity(fixture::token_answer("a"), account, {"n", 1}, none).ok());
  CHECK(none.user.empty());
}

TEST_CASE("sign-in: a keyring that cannot keep is found before the code is used", "[token]") {
  Home home;
  auto account = person_in(home);
  FakeHelper helper([](const net::Record&) { return fixture::token_answer("a", 1, "r"); });
  account.keyring_dir = "/proc/nowhere";
  auto refused = token::redeem(account, places_of(helper), {});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().fault == Fault::cannot_create);
  account = person_in(home);
  account.refresh_token_file = home / "token";
  refused = token::redeem(account, places_of(helper), {});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().cause == "refresh_token_file is set, so a new sign-in would not be used");
  CHECK(helper.requests == 0);
  SignedIn without;
  account = person_in(home);
  CHECK(token::keep(account, places_of(helper), without).error().cause ==
        "the provider gave no refresh token with the sign-in");
}

TEST_CASE("device: shown, waited for, slowed down, signed in", "[token]") {
  Home home;
  const auto account = person_in(home);
  std::vector<std::string> script = {"authorization_pending", "slow_down", "fine"};
  std::size_t at = 0;
  FakeHelper helper([&](const net::Record& request) {
    if (request.verb() == "device") {
      CHECK(request.get("url") == account.device_authorization_endpoint);
      CHECK(request.get("form.scope") == account.scope);
      net::Record answer("answer");
      answer.put("status", "200");
      answer.put("device_code", "device-code-1");
      answer.put("user_code", "ABCD-EFGH");
      answer.put("verification_uri", "https://login.example.org/devicelogin");
      answer.put("message", "Type ABCD-EFGH");
      answer.put("expires_in", "900");
      answer.put("interval", "1");
      return answer;
    }
    CHECK(request.get("form.device_code") == "device-code-1");
    CHECK(request.get("form.grant_type") == "urn:ietf:params:oauth:grant-type:device_code");
    const std::string& next = script.at(at++);
    return next == "fine" ? id_answer("") : refusal(400, next);
  });
  const token::SignInPlaces places = places_of(helper);
  Device device(account, places);
  REQUIRE(device.start().ok());
  CHECK(device.prompt().code == "ABCD-EFGH");
  CHECK(device.prompt().uri == "https://login.example.org/devicelogin");
  CHECK(device.seconds_left() > 890);
  CHECK(device.wait_ms() > 500);
  CHECK(helper.requests == 1);
  auto early = device.poll();
  REQUIRE(early.ok());
  CHECK_FALSE(early->has_value());
  CHECK(helper.requests == 1);
  poll(nullptr, 0, device.wait_ms() + 5);
  CHECK(device.poll().ok());
  CHECK(helper.requests == 2);
  poll(nullptr, 0, device.wait_ms() + 5);
  CHECK(device.poll().ok());
  CHECK(helper.requests == 3);
  CHECK(device.wait_ms() > 5500);  // 1 s, and 5 more for good
  CHECK(device.wait_ms() <= 6000);
}

TEST_CASE("device: who gets no answer asks less and less, and says why", "[token]") {
  Home home;
  const auto account = person_in(home);
  FakeHelper helper([](const net::Record& request) {
    net::Record answer("answer");
    if (request.verb() == "device") {
      answer.put("status", "200");
      answer.put("device_code", "device-code-1");
      answer.put("user_code", "ABCD-EFGH");
      answer.put("verification_uri", "https://login.example.org/devicelogin");
      answer.put("expires_in", "900");
      answer.put("interval", "1");
      return answer;
    }
    net::put_error(answer, base::failure(Fault::unavailable, "cannot reach login.example.org"));
    return answer;
  });
  const token::SignInPlaces places = places_of(helper);
  Device device(account, places);
  REQUIRE(device.start().ok());
  CHECK(device.trouble().cause.empty());
  poll(nullptr, 0, device.wait_ms() + 5);
  auto polled = device.poll();
  REQUIRE(polled.ok());
  CHECK_FALSE(polled->has_value());
  CHECK(device.trouble().cause == "cannot reach login.example.org");
  CHECK(device.wait_ms() > 1500);
  poll(nullptr, 0, device.wait_ms() + 5);
  CHECK(device.poll().ok());
  CHECK(device.wait_ms() > 3500);
}

TEST_CASE("device: policy, refusal, and pages of another site", "[token]") {
  Home home;
  auto account = person_in(home);
  std::string page = "https://login.example.org/devicelogin";
  net::Record (*refuse)() = nullptr;
  FakeHelper helper([&](const net::Record& request) {
    if (refuse != nullptr && (request.verb() == "token" || page.empty())) return refuse();
    net::Record answer("answer");
    answer.put("status", "200");
    answer.put("device_code", "device-code-1");
    answer.put("user_code", "ABCD-EFGH");
    answer.put("verification_uri", page);
    answer.put("expires_in", "900");
    answer.put("interval", "1");
    return answer;
  });
  const token::SignInPlaces places = places_of(helper);
  const auto started = [&](const std::string& uri) {
    page = uri;
    return Device(account, places).start().ok();
  };
  CHECK(started(page));
  for (const char* uri :
       {"http://login.example.org/devicelogin", "https://evil.example/devicelogin",
        "https://login.example.org@evil.example/", "https://login.example.org\\@evil.example/",
        "https://login.example.org.evil.example/", "javascript:alert(1)", "https:///x"}) {
    INFO(uri);
    CHECK_FALSE(started(uri));
  }
  CHECK_FALSE(started("https://microsoft.com/devicelogin"));
  account.device_authorization_endpoint =
      "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode";
  CHECK(started("https://microsoft.com/devicelogin"));
  CHECK(started("https://www.microsoft.com/link"));
  CHECK_FALSE(started("https://notmicrosoft.com/link"));

  refuse = [] { return refusal(400, "interaction_required", "53003"); };
  page.clear();
  Device blocked(account, places);
  REQUIRE_FALSE(blocked.start().ok());
  CHECK(blocked.paste_instead());

  page = "https://microsoft.com/devicelogin";
  refuse = [] { return refusal(400, "authorization_declined", "65004"); };
  Device declined(account, places);
  REQUIRE(declined.start().ok());
  poll(nullptr, 0, declined.wait_ms() + 5);
  auto said = declined.poll();
  REQUIRE_FALSE(said.ok());
  CHECK(said.error().kind == base::FaultClass::hold);
  CHECK_FALSE(declined.paste_instead());

  account.provider = "google";
  CHECK(Device::possible(account).error().cause == "Google allows no device code for mail");
}

TEST_CASE("sign-in: an unattended one passes cache and remembered refusal, and tells its roles",
          "[token]") {
  Home home;
  auto account = fixture::account_in(home);
  account.grant = account::Grant::app;
  auto keyring = token::open_keyring(account, {});
  REQUIRE((*keyring)->store(account, Kind::client_secret, Secret("secret-1")).ok());
  bool good = false;
  FakeHelper helper([&](const net::Record& request) {
    CHECK(request.get("form.grant_type") == "client_credentials");
    if (!good) return refusal(401, "invalid_client", "7000215");
    net::Record answer = fixture::token_answer("access-9");
    if (request.get("claims") == "1") answer.put("at.roles", "SMTP.SendAsApp Mail.Send");
    return answer;
  });
  CHECK_FALSE(token::sign_in_unattended(account, places_of(helper)).ok());
  good = true;
  auto signed_in = token::sign_in_unattended(account, places_of(helper));
  REQUIRE(signed_in.ok());
  CHECK(signed_in->roles.size() == 2);
  CHECK(signed_in->access_token.reveal() == "access-9");
  CHECK(token::power_of(account, *signed_in).find("any mailbox of the tenant") !=
        std::string::npos);
  token::Source source(account, {}, helper.door());
  CHECK(source.get(token::Want::usable)->reveal() == "access-9");
  CHECK(helper.requests == 2);
}

TEST_CASE("sign-in: what a stolen credential could do", "[token]") {
  Home home;
  auto account = fixture::account_in(home);
  SignedIn signed_in;
  const auto power = [&](const std::string& scope) {
    signed_in.scopes = {scope};
    return token::power_of(account, signed_in);
  };
  CHECK(power("https://outlook.office.com/SMTP.Send") ==
        "send mail as me@example.org, but read none");
  CHECK(power("https://mail.google.com/") ==
        "read, send and delete for good all mail of me@example.org");
  CHECK(power("https://graph.microsoft.com/Mail.ReadWrite") ==
        "read, change and delete the mail of me@example.org");
  CHECK(power("https://x/NotMail.Send").empty());
}

TEST_CASE("revoke: where the provider can, and what counts as done", "[token]") {
  Home home;
  auto account = fixture::account_in(home);
  int status = 200;
  std::string word;
  FakeHelper helper([&](const net::Record& request) {
    CHECK(request.get("url") == "https://login.example.org/revoke");
    CHECK(request.get("form.token") == "refresh-7");
    CHECK(request.get("form.token_type_hint") == "refresh_token");
    return refusal(status, word);
  });
  auto nowhere = token::revoke(account, places_of(helper));
  REQUIRE(nowhere.ok());
  CHECK_FALSE(*nowhere);
  account.revocation_endpoint = "https://login.example.org/revoke";
  CHECK_FALSE(*token::revoke(account, places_of(helper)));
  auto keyring = token::open_keyring(account, {});
  REQUIRE((*keyring)->store(account, Kind::refresh_token, Secret("refresh-7")).ok());
  CHECK(*token::revoke(account, places_of(helper)));
  status = 400;
  word = "invalid_token";
  CHECK(*token::revoke(account, places_of(helper)));
  status = 503;
  word.clear();
  CHECK_FALSE(token::revoke(account, places_of(helper)).ok());
}
