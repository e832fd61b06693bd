#include "token/paste.h"

#include "catch.h"
#include "token/authorization.h"
#include "token/pkce.h"
#include "token_fixture.h"

using token::read_pasted;

namespace {

const std::string state = "s-t_a.t~e0123456789";

std::string code_in(const std::string& text) {
  auto answer = read_pasted(text, state);
  if (!answer) {
    CHECK(answer.error().fault == base::Fault::usage);
    CHECK_FALSE(answer.error().cure.empty());
    return "!" + answer.error().cause;
  }
  return answer->error.empty() ? std::string(answer->code.reveal()) : "?" + answer->error;
}

}  // namespace

TEST_CASE("paste: however it was copied, the code is found", "[token]") {
  const std::string address = "http://localhost:4711/?code=0.AX%2Fk-1_2&state=" + state;
  CHECK(code_in(address) == "0.AX/k-1_2");
  for (const std::string& text :
       {"  " + address + "  \r\n", "<" + address + ">", "\"" + address + "\"", "'" + address + "'",
        "`" + address + "`", address + "#", address + "&session_state=1-2#frag",
        "\x1b[200~" + address + "\x1b[201~\n", address.substr(0, 30) + "\n" + address.substr(30),
        address.substr(0, 30) + " \r\n   " + address.substr(30), address.substr(address.find('?')),
        address.substr(address.find('?') + 1),
        "http://localhost:4711/?code=0.AX%2Fk-1_2&amp;state=" + state,
        "https://login.example.org/nativeclient?state=" + state + "&code=0.AX%2Fk-1_2"}) {
    INFO(text);
    CHECK(code_in(text) == "0.AX/k-1_2");
  }
}

TEST_CASE("paste: the code alone is enough, plain or encoded", "[token]") {
  CHECK(code_in("4/0AbCd-Ef+g\n") == "4/0AbCd-Ef+g");
  CHECK(code_in("4%2F0AbCd-Efg") == "4/0AbCd-Efg");
}

TEST_CASE("paste: what it is not, and what to do", "[token]") {
  CHECK(code_in("http://localhost:1/?code=abcdefgh&state=other") ==
        "!that is the answer to another sign-in");
  CHECK(code_in("code=abcdefgh") == "!what was pasted has no state=, so a part of it is missing");
  CHECK(code_in("") == "!nothing was pasted");
  CHECK(code_in("yes") == "!there is no code in what was pasted");
  CHECK(code_in("https://login.example.org/") == "!there is no code in what was pasted");
  CHECK(code_in("https://l.example/authorize?client_id=x&response_type=code&state=" + state) ==
        "!that is the address to open, not the one at which it ended");
  CHECK(code_in("code=a&code=b&state=" + state) == "!there is no code in what was pasted");
  CHECK(code_in(std::string(20'000, 'a')) == "!that is too long for an address");
  CHECK(code_in("error=access_denied&state=" + state) == "?access_denied");
}

TEST_CASE("pkce: words are new each time, and the challenge is RFC 7636's", "[token]") {
  CHECK(token::challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") ==
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
  auto one = token::make_sign_in_words();
  auto two = token::make_sign_in_words();
  REQUIRE(one.ok());
  REQUIRE(two.ok());
  CHECK(one->verifier.size() == 43);
  CHECK(one->state.size() == 43);
  CHECK(one->challenge == token::challenge_of(one->verifier.reveal()));
  CHECK(one->verifier.reveal() != two->verifier.reveal());
  CHECK(one->state != two->state);
  CHECK(one->nonce != two->nonce);
  CHECK(one->nonce != one->state);
}

TEST_CASE("authorization: the address says all that a sign-in needs, encoded", "[token]") {
  fixture::Home home;
  auto account = fixture::account_in(home);
  account.authorization_endpoint = "https://login.example.org/authorize";
  account.scope = "https://mail.example.org/send openid offline_access";
  account.user = "me+x@example.org";
  auto words = token::make_sign_in_words();
  auto url = token::authorization_url(account, *words, token::redirect_uri(4711));
  REQUIRE(url.ok());
  CHECK(*url ==
        "https://login.example.org/authorize?client_id=client&response_type=code"
        "&redirect_uri=http%3A%2F%2Flocalhost%3A4711"
        "&scope=https%3A%2F%2Fmail.example.org%2Fsend%20openid%20offline_access&state=" +
            words->state + "&code_challenge=" + words->challenge +
            "&code_challenge_method=S256&nonce=" + words->nonce +
            "&login_hint=me%2Bx%40example.org&prompt=select_account");
  // Google's own words stand; without openid there is no ID token that could hold the nonce.
  account.scope = "https://mail.google.com/";
  account.authorization_endpoint =
      "https://accounts.google.com/o/oauth2/v2/auth?access_type=offline&prompt=consent";
  url = token::authorization_url(account, *words, token::redirect_uri(1));
  CHECK(url->find("?access_type=offline&prompt=consent&client_id=client&") != std::string::npos);
  CHECK(url->find("select_account") == std::string::npos);
  CHECK(url->find("nonce=") == std::string::npos);
}

TEST_CASE("authorization: what the account lacks", "[token]") {
  fixture::Home home;
  const auto cause = [&](void (*change)(account::Account&)) {
    auto account = fixture::account_in(home);
    account.authorization_endpoint = "https://login.example.org/authorize";
    change(account);
    auto url = token::authorization_url(account, {}, token::redirect_uri(1));
    REQUIRE_FALSE(url.ok());
    CHECK(url.error().account == "work");
    CHECK(url.error().fault == base::Fault::config);
    return url.error().cause;
  };
  using account::Account;
  CHECK(cause([](Account& a) { a.authorization_endpoint.clear(); }) ==
        "authorization_endpoint is not set");
  CHECK(cause([](Account& a) { a.authorization_endpoint = "http://login.example.org/"; }) ==
        "authorization_endpoint does not begin with https://");
  CHECK(cause([](Account& a) { a.client_id.clear(); }) == "client_id is not set");
  CHECK(cause([](Account& a) { a.grant = account::Grant::app; }) ==
        "no person signs in to an account with another grant than user");
}
