#include "sandbox/sasl.h"

#include "base/seal.h"
#include "catch.h"

using sandbox::read_oauthbearer;
using sandbox::read_xoauth2;

namespace {
std::string coded(const std::string& text) {
  return base::base64(text);
}
}  // namespace

TEST_CASE("sasl: an XOAUTH2 response yields user and token", "[sandbox]") {
  const auto claim =
      read_xoauth2(coded("user=me@x.example\x01"
                         "auth=Bearer aB-._~+/=\x01\x01"));
  REQUIRE(claim);
  CHECK(claim->user == "me@x.example");
  CHECK(claim->token.reveal() == "aB-._~+/=");
}

TEST_CASE("sasl: XOAUTH2 responses of another form are refused", "[sandbox]") {
  for (const std::string& text : {
           std::string("user=me\x01"
                       "auth=Bearer t\x01"),  // one ^A short
           std::string("user=me\x01"
                       "auth=Bearer t\x01\x01\x01"),  // one too many
           std::string("user=\x01"
                       "auth=Bearer t\x01\x01"),  // nobody
           std::string("user=me\r\n\x01"
                       "auth=Bearer t\x01\x01"),  // control byte
           std::string("user=me\x01"
                       "auth=Basic t\x01\x01"),
           std::string("user=me\x01"
                       "auth=Bearer \x01\x01"),
           std::string("user=me\x01"
                       "auth=Bearer t t\x01\x01"),
           std::string("user=me\x01"
                       "auth=Bearer t\r\n\x01\x01"),
           std::string(""),
       }) {
    CHECK_FALSE(read_xoauth2(coded(text)));
  }
  CHECK_FALSE(read_xoauth2("not base64!"));
}

TEST_CASE("sasl: an OAUTHBEARER response yields user and token", "[sandbox]") {
  const auto claim =
      read_oauthbearer(coded("n,a=m=2Ce=3D@x.example,\x01host=h\x01port=587\x01"
                             "auth=Bearer tok\x01\x01"));
  REQUIRE(claim);
  CHECK(claim->user == "m,e=@x.example");
  CHECK(claim->token.reveal() == "tok");
  const auto nobody =
      read_oauthbearer(coded("n,,\x01"
                             "auth=Bearer tok\x01\x01"));
  REQUIRE(nobody);
  CHECK(nobody->user.empty());
}

TEST_CASE("sasl: OAUTHBEARER responses of another form are refused", "[sandbox]") {
  for (const std::string& text : {
           std::string("n,a=me,\x01"
                       "auth=Bearer tok\x01"),
           std::string("n,a=me\x01"
                       "auth=Bearer tok\x01\x01"),
           std::string("y,a=me,\x01"
                       "auth=Bearer tok\x01\x01"),
           std::string("n,a=m=2De,\x01"
                       "auth=Bearer tok\x01\x01"),
           std::string("n,a=me,\x01host=h\x01\x01"),
           std::string("n,\x01\x01"),
           std::string("\x01"),
       }) {
    CHECK_FALSE(read_oauthbearer(coded(text)));
  }
}
