#include "sandbox/options.h"

#include "catch.h"
#include "sandbox_client.h"

using sandbox::parse_options;

TEST_CASE("options: values are taken with = and as the next word", "[sandbox]") {
  const auto got = parse_options({"--directory", "/d", "--smtp-port=2525", "--without",
                                  "size,CHUNKING", "--strict-rotation", "--bind", "127.0.0.9"});
  REQUIRE(got);
  CHECK(got->directory == "/d");
  CHECK(got->smtp_port == 2525);
  CHECK(got->without == std::set<std::string>{"SIZE", "CHUNKING"});
  CHECK(got->strict_rotation);
  CHECK(got->bind_addresses == std::vector<std::string>{"127.0.0.9"});
}

TEST_CASE("options: what is not of the loopback interface is refused", "[sandbox]") {
  for (const char* address : {"0.0.0.0", "::", "192.168.1.1", "128.0.0.1", "example.org", ""}) {
    const auto got = parse_options({"--directory", "/d", "--bind", address});
    INFO(address);
    REQUIRE_FALSE(got);
    CHECK(got.error().fault == base::Fault::usage);
  }
  CHECK(parse_options({"--directory", "/d", "--bind", "::1"}));
  CHECK_FALSE(parse_options({"--directory", "/d", "--host", "example.org"}));
}

TEST_CASE("options: mistakes are named, with the nearest word", "[sandbox]") {
  CHECK_FALSE(parse_options({}));
  CHECK_FALSE(parse_options({"--directory"}));
  CHECK_FALSE(parse_options({"--directory", "/d", "--smtp-port", "70000"}));
  CHECK_FALSE(parse_options({"--directory", "/d", "--chunking=yes"}));
  CHECK_FALSE(parse_options({"--directory", "/d", "--without", "TLS"}));
  CHECK_FALSE(parse_options({"--directory", "/d;x"}));
  const auto near = parse_options({"--directory", "/d", "--strict-rotatoin"});
  REQUIRE_FALSE(near);
  CHECK(near.error().cure == "did you mean --strict-rotation?");
}

TEST_CASE("start: DIR holds what a client needs, secrets for its owner only", "[sandbox]") {
  sandbox_test::Running running;
  REQUIRE(running.box);
  const sandbox::Json about = running.description();
  CHECK(about["control_token"].get<std::string>().size() == 48);
  CHECK(about["smtp"]["starttls_port"] == running.places().smtp_port);
  CHECK(running.file("ca.pem").find("PRIVATE KEY") == std::string::npos);
  CHECK(running.file("ca.pem").find("BEGIN CERTIFICATE") != std::string::npos);
  const std::string configuration = running.file("mailbearer.conf");
  CHECK(configuration.find("[account work]") != std::string::npos);
  CHECK(configuration.find("[account site]") != std::string::npos);
  CHECK(configuration.find(about["apps"][1]["secret"].get<std::string>()) == std::string::npos);
  const std::filesystem::path folder = about["directory"].get<std::string>();
  for (const char* name : {"sandbox.json", "work.refresh-token", "site.client-secret",
                           "mailbearer.conf", "graph.conf", "journal.jsonl"}) {
    INFO(name);
    CHECK((std::filesystem::status(folder / name).permissions() & std::filesystem::perms(077)) ==
          std::filesystem::perms::none);
  }
}

TEST_CASE("seed: users and applications can be brought along", "[sandbox]") {
  char name[] = "/tmp/mailbearer-seed-XXXXXX";
  const int fd = mkstemp(name);
  const std::string text =
      R"({"tenant":{"domain":"t.example"},"users":[{"user":"u@t.example","send_as":["*@s.example"]}],)"
      R"("apps":[{"client_id":"c","redirect_uris":["http://localhost"]}]})";
  REQUIRE(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  close(fd);
  const auto seed = sandbox::read_seed(name);
  REQUIRE(seed);
  CHECK(seed->tenant_domain == "t.example");
  CHECK(sandbox::may_send_as(seed->users[0], "X@S.example"));
  CHECK_FALSE(sandbox::may_send_as(seed->users[0], "x@s.example.org"));
  CHECK(seed->apps[0].is_public());
  REQUIRE(truncate(name, 20) == 0);
  CHECK_FALSE(sandbox::read_seed(name));
  unlink(name);
  CHECK_FALSE(sandbox::read_seed(name));
}
