#include "sandbox/assertion.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "catch.h"
#include "sandbox_client.h"

using sandbox::AssertionRules;
using sandbox::check_assertion;
using sandbox::Json;

namespace {

struct Pair {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  X509* certificate = X509_new();
  Pair() {
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
  }
  ~Pair() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  std::string pem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    char* bytes = nullptr;
    const long length = BIO_get_mem_data(bio, &bytes);
    std::string out(bytes, static_cast<std::size_t>(length));
    BIO_free(bio);
    return out;
  }
  std::string thumb(const EVP_MD* digest) const {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    X509_digest(certificate, digest, bytes, &length);
    return sandbox::base64url({reinterpret_cast<char*>(bytes), length});
  }
  std::string sign(const std::string& text, bool pss, int salt = RSA_PSS_SALTLEN_DIGEST) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* options = nullptr;
    EVP_DigestSignInit(context, &options, EVP_sha256(), nullptr, key);
    if (pss) {
      EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salt);
    }
    unsigned char bytes[512];
    std::size_t length = sizeof bytes;
    EVP_DigestSign(context, bytes, &length, reinterpret_cast<const unsigned char*>(text.data()),
                   text.size());
    EVP_MD_CTX_free(context);
    return sandbox::base64url({reinterpret_cast<char*>(bytes), length});
  }
};

const Pair& pair() {
  static const Pair one;
  return one;
}

constexpr std::int64_t now = 1'800'000'000;

AssertionRules rules() {
  return {{"https://h/t/oauth2/v2.0/token"}, "app", {pair().pem()}, now};
}

Json claims() {
  return {{"aud", "https://h/t/oauth2/v2.0/token"},
          {"iss", "app"},
          {"sub", "app"},
          {"jti", "1"},
          {"nbf", now},
          {"exp", now + 300}};
}

std::string ps256(const Json& body, int salt = RSA_PSS_SALTLEN_DIGEST) {
  const Json header = {{"alg", "PS256"}, {"typ", "JWT"}, {"x5t#S256", pair().thumb(EVP_sha256())}};
  const std::string text = sandbox::base64url(sandbox::write_json(header)) + "." +
                           sandbox::base64url(sandbox::write_json(body));
  return text + "." + pair().sign(text, true, salt);
}

std::string rs256(const Json& body) {
  const Json header = {{"alg", "RS256"}, {"typ", "JWT"}, {"x5t", pair().thumb(EVP_sha1())}};
  const std::string text = sandbox::base64url(sandbox::write_json(header)) + "." +
                           sandbox::base64url(sandbox::write_json(body));
  return text + "." + pair().sign(text, false);
}

long verdict(const std::string& assertion) {
  return check_assertion(assertion, rules()).code;
}

}  // namespace

TEST_CASE("assertion: PS256 with x5t#S256 and RS256 with x5t are good", "[sandbox]") {
  CHECK(verdict(ps256(claims())) == 0);
  CHECK(verdict(rs256(claims())) == 0);
  CHECK(check_assertion(ps256(claims()), rules()).jti == "1");
}

TEST_CASE("assertion: the PSS salt has the length of the digest", "[sandbox]") {
  CHECK(verdict(ps256(claims(), 20)) == 700027);
}

TEST_CASE("assertion: a changed byte, another key, another algorithm are found out", "[sandbox]") {
  std::string changed = ps256(claims());
  const std::size_t dot = changed.find('.');
  changed[dot + 5] = changed[dot + 5] == 'A' ? 'B' : 'A';
  CHECK(verdict(changed) != 0);
  AssertionRules none = rules();
  none.certificates.clear();
  CHECK(check_assertion(ps256(claims()), none).code == 700027);
  const std::string unsigned_one = sandbox::base64url(R"({"alg":"none"})") + "." +
                                   sandbox::base64url(sandbox::write_json(claims())) + ".";
  CHECK(verdict(unsigned_one) == 50027);
}

TEST_CASE("assertion: claims are checked", "[sandbox]") {
  const auto with = [](const char* name, const Json& value) {
    Json body = claims();
    body[name] = value;
    return verdict(ps256(body));
  };
  CHECK(with("iss", "other") == 700021);
  CHECK(with("sub", "other") == 700021);
  CHECK(with("aud", "https://h/t/oauth2/v2.0/token/") == 700023);
  CHECK(with("exp", now - 300) == 700024);
  CHECK(with("exp", now - 299) == 0);
  CHECK(with("nbf", now + 301) == 700024);
  CHECK(with("exp", "soon") == 50027);
  CHECK(with("jti", "") == 50027);
  CHECK(with("jti", 5) == 50027);
}

TEST_CASE("assertion: what is no JWT is refused whatever it holds", "[sandbox]") {
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("a.b.c"),
        std::string("a.b"), std::string(20'000, 'a'), ps256(claims()) + ".x",
        sandbox::base64url("[1]") + "." + sandbox::base64url("{}") + ".AAAA"}) {
    CHECK(verdict(text) == 50027);
  }
}

TEST_CASE("assertion: the token endpoint takes one once", "[sandbox]") {
  sandbox_test::Running running;
  const std::string id = "22222222-2222-4222-8222-222222222222";
  CHECK(sandbox_test::control(running, "certificate", {{"client_id", id}, {"pem", pair().pem()}})
            .status == 200);
  Json body = claims();
  const std::int64_t today = std::time(nullptr);
  body["aud"] = running.places().base_url + sandbox_test::token_path;
  body["iss"] = body["sub"] = id;
  body["nbf"] = today;
  body["exp"] = today + 300;
  const std::string assertion = ps256(body);
  const auto ask = [&] {
    return sandbox_test::post_form(
        running, sandbox_test::token_path,
        {{"grant_type", "client_credentials"},
         {"client_id", id},
         {"scope", "https://outlook.office365.com/.default"},
         {"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
         {"client_assertion", assertion}});
  };
  CHECK(ask().status == 200);
  const auto again = ask();
  CHECK(again.status == 401);
  CHECK(again.json()["error_codes"][0] == 50013);
}
