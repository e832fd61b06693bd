#include "token/machine_identity.h"

#include "base/seal.h"
#include "token/grants.h"
#include "token/oauth_request.h"
#include "token_fixture.h"

using fixture::Home;

namespace {

// The identity endpoint, answering from a script.
class Endpoint : public net::HttpClient {
 public:
  base::Result<net::HttpAnswer> post(const net::HttpRequest& request) override {
    urls.push_back(request.url);
    keys.emplace_back(request.basic.reveal());
    CHECK(request.method == "GET");
    CHECK(request.proxy.empty());
    CHECK(request.body.empty());
    CHECK(request.headers == std::vector<std::string>{"Metadata: true"});
    CHECK(request.metadata_service == (request.url.rfind("http://169.254.169.254/", 0) == 0));
    net::HttpAnswer answer;
    answer.status = 200;
    answer.body = base::Secret(
        R"({"access_token":"machine-token","expires_in":"3599","expires_on":"1","token_type":"Bearer"})");
    if (!challenge.empty() && request.basic.empty()) {
      answer.status = 401;
      answer.authenticate = challenge;
      answer.body = base::Secret("{}");
    }
    return answer;
  }
  std::string challenge;
  std::vector<std::string> urls;
  std::vector<std::string> keys;
};

net::Record request_to(const std::string& url) {
  net::Record request("identity");
  request.put("url", url);
  request.put("resource", "https://outlook.office365.com");
  request.put("proxy", "http://proxy.example:3128");
  return request;
}

}  // namespace

TEST_CASE("machine identity: an Azure machine is asked on the link, never by a proxy", "[token]") {
  Home home;
  Endpoint endpoint;
  token::ArcPlaces nowhere{home / "himds", home / "tokens", "http://127.0.0.1:1/x"};
  net::Record request = request_to("http://169.254.169.254/metadata/identity/oauth2/token");
  request.put("client_id", "id 1");
  const net::Record answer = token::serve_identity_request(request, endpoint, nowhere);
  CHECK(answer.get("access_token") == "machine-token");
  CHECK(answer.get("expires_in") == "3599");
  REQUIRE(endpoint.urls.size() == 1);
  CHECK(endpoint.urls[0] ==
        "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01"
        "&resource=https%3A%2F%2Foutlook.office365.com&client_id=id%201");
  // A challenge there is not Arc's: nothing is read.
  endpoint.challenge = "Basic realm=" + (home / "tokens") + "/a.key";
  const net::Record refused = token::serve_identity_request(request, endpoint, nowhere);
  CHECK(refused.get("status") == "401");
  CHECK(endpoint.urls.size() == 2);
}

TEST_CASE("machine identity: Azure Arc's challenge is answered from its own folder only",
          "[token]") {
  Home home;
  Endpoint endpoint;
  const std::string folder = home / "tokens";
  REQUIRE(mkdir(folder.c_str(), 0750) == 0);
  home.write("tokens/right.key", "key-material\n");
  home.write("tokens/big.key", std::string(5000, 'k'));
  home.write("tokens/lines.key", "a\r\nX-Evil: 1");
  home.write("tokens/other.txt", "not a key");
  home.write("outside.key", "outside");
  REQUIRE(symlink((home / "outside.key").c_str(), (folder + "/link.key").c_str()) == 0);
  REQUIRE(mkfifo((folder + "/fifo.key").c_str(), 0600) == 0);
  home.write("himds", "");
  const token::ArcPlaces arc{home / "himds", folder, "http://127.0.0.1:40342/token"};
  const net::Record request = request_to("http://127.0.0.1:40342/token");
  endpoint.challenge = "Basic realm=" + folder + "/right.key";
  CHECK(token::serve_identity_request(request, endpoint, arc).get("access_token") ==
        "machine-token");
  REQUIRE(endpoint.urls.size() == 2);
  CHECK(endpoint.urls[1].find("api-version=2020-06-01&resource=") != std::string::npos);
  CHECK(endpoint.keys[1] == "key-material");
  const std::size_t before = endpoint.urls.size();
  std::size_t asked = 0;
  for (const std::string& realm :
       {folder + "/../outside.key", home / "outside.key", folder + "/link.key",
        folder + "/fifo.key", folder + "/big.key", folder + "/lines.key", folder + "/other.txt",
        folder + "/.key", folder + "/sub/x.key", folder + "/missing.key",
        std::string("/etc/shadow"), std::string()}) {
    INFO(realm);
    endpoint.challenge = "Basic realm=" + realm;
    const net::Record answer = token::serve_identity_request(request, endpoint, arc);
    CHECK(net::has_error(answer));
    CHECK(endpoint.urls.size() == before + ++asked);  // no second request
  }
  endpoint.challenge = "Bearer realm=" + folder + "/right.key";
  CHECK(net::has_error(token::serve_identity_request(request, endpoint, arc)));
  if (geteuid() == 0) {  // root's own agent is there: this is an Arc machine
    endpoint.challenge.clear();
    token::serve_identity_request(request_to("http://169.254.169.254/metadata/x"), endpoint, arc);
    CHECK(endpoint.urls.back().rfind("http://127.0.0.1:40342/token?", 0) == 0);
  }
}

TEST_CASE("grants: a managed identity needs a resource and this machine's endpoint", "[token]") {
  Home home;
  auto account = fixture::account_in(home);
  account.grant = account::Grant::managed_identity;
  account.client_id.clear();
  account.resource = "https://outlook.office365.com";
  account.token_endpoint = "http://169.254.169.254/metadata/identity/oauth2/token";
  auto request = token::token_request(account, {});
  REQUIRE(request.ok());
  CHECK(request->verb() == "identity");
  CHECK(request->get("resource") == "https://outlook.office365.com");
  CHECK_FALSE(request->has("client_id"));
  account.token_endpoint = "http://169.254.169.254.example.com/token";
  CHECK_FALSE(token::check_grant(account).ok());
  account.token_endpoint = "http://169.254.169.254@example.com/token";
  CHECK_FALSE(token::check_grant(account).ok());
  account.token_endpoint = "http://127.0.0.1:40342/token";
  CHECK(token::check_grant(account).ok());
  account.resource.clear();
  CHECK(token::check_grant(account).error().cause == "resource is not set");
  // Of other grants no request leaves in the clear, whatever the address.
  account.grant = account::Grant::app;
  account.client_id = "x";
  account.token_endpoint = "http://169.254.169.254/metadata/identity/oauth2/token";
  CHECK(token::check_grant(account).error().cause == "token_endpoint does not begin with https://");
}

TEST_CASE("oauth request: at a sign-in the claims are told, and only then", "[token]") {
  class Client : public net::HttpClient {
   public:
    base::Result<net::HttpAnswer> post(const net::HttpRequest&) override {
      const std::string id =
          R"({"iss":"https://l/1/v2.0","aud":["c","d"],"nonce":"n","exp":99,"preferred_username":"not an address","email":"a@b.c","name":"A\u001b[31mB","tid":"1"})";
      const std::string access = R"({"aud":"https://mail","scp":"send","roles":["r1","r2"]})";
      net::HttpAnswer answer;
      answer.status = 200;
      answer.body = base::Secret(R"({"access_token":"x.)" + base::base64url(access) +
                                 R"(.y","id_token":"h.)" + base::base64url(id) +
                                 R"(.s","scope":"send openid"})");
      return answer;
    }
  } client;
  net::Record request("token");
  CHECK_FALSE(token::serve_token_request(request, client).has("id.iss"));
  request.put("claims", "1");
  const net::Record answer = token::serve_token_request(request, client);
  CHECK(answer.get("id") == "1");
  CHECK(answer.get("id.aud") == "c d");
  CHECK(answer.get("id.exp") == "99");
  CHECK(answer.get("id.user") == "a@b.c");
  CHECK(answer.get("id.name") == "A\\x1b[31mB");
  CHECK(answer.get("at.aud") == "https://mail");
  CHECK(answer.get("at.scp") == "send");
  CHECK(answer.get("at.roles") == "r1 r2");
  CHECK(answer.get("scope") == "send openid");
}

TEST_CASE("oauth request: a device endpoint's answer", "[token]") {
  class Client : public net::HttpClient {
   public:
    base::Result<net::HttpAnswer> post(const net::HttpRequest&) override {
      net::HttpAnswer answer;
      answer.status = status;
      answer.body = base::Secret(reply);
      return answer;
    }
    int status = 200;
    std::string reply;
  } client;
  client.reply =
      R"({"device_code":"dc-1","user_code":"AB\u001bCD","verification_url":"https://x/","expires_in":"900","interval":"7","message":"go\r\nthere"})";
  net::Record answer = token::serve_device_request(net::Record("device"), client);
  CHECK(answer.get("device_code") == "dc-1");
  CHECK(answer.get("user_code") == "AB\\x1bCD");
  CHECK(answer.get("verification_uri") == "https://x/");
  CHECK(answer.get("expires_in") == "900");
  CHECK(answer.get("interval") == "7");
  CHECK(answer.get("message") == "go  there");
  client.status = 400;
  client.reply = R"({"error":"invalid_client","error_codes":[7000218]})";
  answer = token::serve_device_request(net::Record("device"), client);
  CHECK(answer.get("error") == "invalid_client");
  CHECK(answer.get("device_code").empty());
}
