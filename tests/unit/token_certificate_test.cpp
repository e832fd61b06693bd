#include "token/certificate.h"

#include <openssl/pem.h>

#include "base/certificate.h"
#include "base/clock.h"
#include "base/seal.h"
#include "base/text.h"
#include "token/assertion.h"
#include "token/flat_json.h"
#include "token/grants.h"
#include "token_fixture.h"

using base::Fault;
using base::Secret;
using fixture::Home;
using token::Kind;

namespace {

// For writing encrypted keys OpenSSL must know the cipher's number when it first meets it.
const bool can_encrypt = EVP_add_cipher(EVP_aes_256_cbc()) == 1;

// RSA keys take a while: one for all.
const base::MadeCertificate& pair_one() {
  static const base::MadeCertificate made =
      std::move(*base::make_certificate("one", 30, base::wall_seconds()));
  return made;
}

const base::MadeCertificate& pair_two() {
  static const base::MadeCertificate made =
      std::move(*base::make_certificate("two", 30, base::wall_seconds()));
  return made;
}

std::string encrypted(const Secret& pem, const std::string& passphrase, bool older = false) {
  BIO* in = BIO_new_mem_buf(pem.reveal().data(), static_cast<int>(pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  BIO* out = BIO_new(BIO_s_mem());
  REQUIRE(can_encrypt);
  const auto* words = reinterpret_cast<const unsigned char*>(passphrase.data());
  const int length = static_cast<int>(passphrase.size());
  const int written =
      older ? PEM_write_bio_PrivateKey_traditional(out, key, EVP_aes_256_cbc(), words, length,
                                                   nullptr, nullptr)
            : PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), passphrase.data(), length,
                                            nullptr, nullptr);
  REQUIRE(written == 1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  BIO_free(in);
  BIO_free(out);
  EVP_PKEY_free(key);
  return text;
}

account::Account app_in(const Home& home) {
  account::Account account = fixture::account_in(home);
  account.grant = account::Grant::app;
  account.scope = "https://outlook.office365.com/.default";
  return account;
}

token::FlatJson part_of(const std::string& jwt, std::size_t index) {
  const auto parts = base::split(jwt, '.');
  REQUIRE(parts.size() == 3);
  auto json = token::read_flat_json(*base::from_base64url(parts[index]));
  REQUIRE(json.has_value());
  return std::move(*json);
}

bool verified(const std::string& jwt, const std::string& certificate, bool pss) {
  BIO* in = BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size()));
  X509* read = PEM_read_bio_X509(in, nullptr, nullptr, nullptr);
  EVP_PKEY* key = X509_get_pubkey(read);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* options = nullptr;
  EVP_DigestVerifyInit(context, &options, EVP_sha256(), nullptr, key);
  if (pss) {
    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(options, 32);
  }
  const std::size_t dot = jwt.rfind('.');
  const std::string signature = *base::from_base64url(jwt.substr(dot + 1));
  const bool good =
      EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()),
                       signature.size(), reinterpret_cast<const unsigned char*>(jwt.data()),
                       dot) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  X509_free(read);
  BIO_free(in);
  return good;
}

base::Result<net::Record> request_of(const account::Account& account) {
  token::Credentials credentials(account, {});
  auto proof = token::grant_row(account).load(account, credentials);
  if (!proof) return std::move(proof).error();
  return token::token_request(account, *proof);
}

}  // namespace

TEST_CASE("certificate: made, read back, and not made twice by mistake", "[token]") {
  Home home;
  auto account = app_in(home);
  account.app_certificate = home / "site.pem";
  const token::CertificateWish wish{account.app_certificate, "site", 90, false};
  auto made = token::make_certificate(wish);
  REQUIRE(made.ok());
  CHECK(made->subject == "CN=site");
  CHECK(made->sha1_hex.size() == 40);
  CHECK(made->sha256_hex.size() == 64);
  CHECK(made->not_after_s - base::wall_seconds() > 89 * 86'400);
  CHECK(made->not_before_s < base::wall_seconds() - 3600);
  CHECK(made->pem.find("PRIVATE KEY") == std::string::npos);
  struct stat facts {};
  REQUIRE(stat(account.app_certificate.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0640);
  auto read = token::read_certificate(account);
  REQUIRE(read.ok());
  CHECK(read->sha256_hex == made->sha256_hex);
  CHECK(token::check_certificate_key(account, {}).ok());
  auto again = token::make_certificate(wish);
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().fault == Fault::cannot_create);
  auto replaced = token::make_certificate({account.app_certificate, "site", 90, true});
  REQUIRE(replaced.ok());
  CHECK(replaced->sha256_hex != made->sha256_hex);
  CHECK_FALSE(token::make_certificate({"relative.pem", "site", 90, false}).ok());
  CHECK_FALSE(token::make_certificate({home / "x.pem", "", 90, false}).ok());
}

TEST_CASE("certificate: an assertion of PS256 and one of RS256, as Entra wants them", "[token]") {
  Home home;
  auto account = app_in(home);
  account.app_certificate = home.write("cert.pem", pair_one().certificate_pem);
  account.app_key = home.write("key.pem", std::string(pair_one().key_pem.reveal()));
  const auto facts = base::read_certificate(pair_one().certificate_pem);
  std::string fingerprint;
  for (const bool pss : {true, false}) {
    account.app_assertion = pss ? account::AppAssertion::ps256 : account::AppAssertion::rs256;
    auto request = request_of(account);
    REQUIRE(request.ok());
    CHECK(token::fingerprint_of(*request) != fingerprint);
    fingerprint = token::fingerprint_of(*request);
    CHECK(token::fingerprint_of(*request_of(account)) == fingerprint);
    REQUIRE(token::put_assertion(*request, 1'000'000).ok());
    for (const auto& [name, value] : request->fields()) CHECK(name.rfind("sign.", 0) != 0);
    CHECK(request->get("form.client_assertion_type") ==
          "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    CHECK(request->get("form.grant_type") == "client_credentials");
    const std::string jwt(request->get("form.client_assertion"));
    const token::FlatJson header = part_of(jwt, 0);
    CHECK(header.text("alg") == (pss ? "PS256" : "RS256"));
    CHECK(header.text("typ") == "JWT");
    CHECK(header.text(pss ? "x5t#S256" : "x5t") ==
          base::base64url(pss ? facts.value().sha256 : facts.value().sha1));
    const token::FlatJson claims = part_of(jwt, 1);
    CHECK(claims.text("aud") == account.token_endpoint);
    CHECK(claims.text("iss") == "client");
    CHECK(claims.text("sub") == "client");
    CHECK(claims.text("jti").size() == 32);
    CHECK(claims.number("nbf", 0) == 1'000'000);
    CHECK(claims.number("exp", 0) == 1'000'600);
    CHECK(verified(jwt, pair_one().certificate_pem, pss));
    CHECK_FALSE(verified(jwt, pair_two().certificate_pem, pss));
  }
}

TEST_CASE("certificate: an encrypted key wants its passphrase from the keyring", "[token]") {
  Home home;
  auto account = app_in(home);
  account.app_certificate = home.write(
      "site.pem", encrypted(pair_one().key_pem, "open sesame") + pair_one().certificate_pem);
  auto none = token::check_certificate_key(account, {});
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().cause == "no key passphrase is stored");
  CHECK(none.error().cure == "run: mailbearer secret set work key-passphrase");
  auto keyring = token::open_keyring(account, {});
  REQUIRE((*keyring)->store(account, Kind::key_passphrase, Secret("wrong")).ok());
  CHECK(token::check_certificate_key(account, {}).error().cause ==
        "the passphrase does not open the key");
  REQUIRE((*keyring)->store(account, Kind::key_passphrase, Secret("open sesame")).ok());
  CHECK(token::check_certificate_key(account, {}).ok());
  account.app_key = home.write("older.pem", encrypted(pair_one().key_pem, "open sesame", true));
  CHECK(token::check_certificate_key(account, {}).ok());
  auto request = request_of(account);
  REQUIRE(request.ok());
  REQUIRE(token::put_assertion(*request, base::wall_seconds()).ok());
  CHECK(verified(std::string(request->get("form.client_assertion")), pair_one().certificate_pem,
                 true));
}

TEST_CASE("certificate: what is wrong with the files is said", "[token]") {
  Home home;
  auto account = app_in(home);
  const std::string good_key(pair_one().key_pem.reveal());
  const auto cause = [&](const std::string& certificate, const std::string& key) {
    account.app_certificate = home.write("cert.pem", certificate);
    account.app_key = home.write("key.pem", key);
    auto checked = token::check_certificate_key(account, {});
    REQUIRE_FALSE(checked.ok());
    CHECK(checked.error().account == "work");
    CHECK(checked.error().fault == Fault::config);
    return checked.error().cause;
  };
  CHECK(cause(pair_one().certificate_pem, "junk") ==
        "no private key in PEM form is in the key file");
  CHECK(cause("junk", good_key) == "no certificate in PEM form is in the file");
  CHECK(cause(pair_two().certificate_pem, good_key) ==
        "the private key belongs to another certificate");
  CHECK(cause(pair_one().certificate_pem, "") == (home / "key.pem") + " is empty");
  account.app_key = home.write("open.pem", good_key, 0666);
  REQUIRE(chmod((home / "open.pem").c_str(), 0666) == 0);
  CHECK(token::check_certificate_key(account, {}).error().cause.find("written by others") !=
        std::string::npos);
  // The helper says the same, with nothing signed.
  account.app_key = home.write("key.pem", good_key);
  account.app_certificate = home.write("cert.pem", pair_two().certificate_pem);
  auto request = request_of(account);
  REQUIRE(request.ok());
  CHECK_FALSE(token::put_assertion(*request, 1).ok());
  CHECK_FALSE(request->has("form.client_assertion"));
}

TEST_CASE("grants: federated, read anew; its request has the other issuer's token", "[token]") {
  Home home;
  auto account = app_in(home);
  account.grant = account::Grant::federated;
  account.federated_token_file = home.write("token", "eyJ.one.x\n");
  auto request = request_of(account);
  REQUIRE(request.ok());
  CHECK(request->get("form.client_assertion") == "eyJ.one.x");
  CHECK(request->get("form.grant_type") == "client_credentials");
  CHECK_FALSE(request->has("form.client_secret"));
  home.write("token", "eyJ.two.x");
  CHECK(request_of(account)->get("form.client_assertion") == "eyJ.two.x");
  home.write("token", "two\nlines");
  CHECK(request_of(account).error().cure == "check federated_token_file");
  std::filesystem::remove(home / "token");
  CHECK_FALSE(request_of(account).ok());
}

TEST_CASE("grants: a service account signs for a mailbox, by Google's JSON or by PEM", "[token]") {
  Home home;
  auto account = app_in(home);
  account.grant = account::Grant::service_account;
  account.scope = "https://mail.google.com/";
  account.client_id = "robot@project.example";
  std::string escaped;
  for (const char c : pair_one().key_pem.reveal()) {
    escaped += c == '\n' ? "\\n" : std::string(1, c);
  }
  const std::string json = R"({"type":"service_account","private_key_id":"key-1","private_key":")" +
                           escaped + R"(","client_email":"json@project.example"})";
  for (const bool pem : {false, true}) {
    account.app_key = home.write("key", pem ? std::string(pair_one().key_pem.reveal()) : json);
    auto request = request_of(account);
    REQUIRE(request.ok());
    REQUIRE(token::put_assertion(*request, 1'000'000).ok());
    CHECK(request->get("form.grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer");
    CHECK_FALSE(request->has("form.client_assertion_type"));
    const std::string jwt(request->get("form.assertion"));
    CHECK(part_of(jwt, 0).text("alg") == "RS256");
    CHECK(part_of(jwt, 0).text("kid") == (pem ? "" : "key-1"));
    const token::FlatJson claims = part_of(jwt, 1);
    CHECK(claims.text("iss") == (pem ? "robot@project.example" : "json@project.example"));
    CHECK(claims.text("sub") == "me@example.org");
    CHECK(claims.text("scope") == "https://mail.google.com/");
    CHECK(claims.text("aud") == account.token_endpoint);
    CHECK(claims.number("exp", 0) - claims.number("iat", 0) == 600);
    CHECK(verified(jwt, pair_one().certificate_pem, false));
  }
  account.app_key = home.write("key", R"({"installed":{"client_secret":"x"}})");
  auto request = request_of(account);
  CHECK(token::put_assertion(*request, 1).error().cause ==
        "the key file is JSON without a private_key");
}

TEST_CASE("flat JSON: bounded, and nothing believed that is deep or twice", "[token]") {
  using token::read_flat_json;
  auto json = read_flat_json(
      R"({"a":"x","n":5,"s":"900","f":1.5e3,"l":["p","q",{"a":"deep"}],"o":{"a":"deep"},"t":true,"z":null})");
  REQUIRE(json.has_value());
  CHECK(json->text("a") == "x");
  CHECK(json->number("n", 0) == 5);
  CHECK(json->number("s", 0) == 900);
  CHECK(json->number("f", 0) == 1500);
  CHECK(json->number("a", 7) == 7);
  CHECK(json->list("l") == std::vector<std::string>{"p", "q"});
  CHECK(json->list("a") == std::vector<std::string>{"x"});
  CHECK(json->text("o").empty());
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("\"a\""), std::string("{"),
        std::string(R"({"a":1,"a":2})"), "{\"x\":" + std::string(100'000, '['),
        "{\"x\":\"" + std::string(70'000, 'x') + "\"}", std::string("{\"a\":\"\xff\"}")}) {
    CHECK_FALSE(read_flat_json(text).has_value());
  }
  CHECK_FALSE(token::read_claims("a.b").has_value());
  CHECK_FALSE(token::read_claims("a.!!.c").has_value());
  CHECK(token::read_claims("x." + base::base64url(R"({"aud":"c"})") + ".y")->text("aud") == "c");
}
