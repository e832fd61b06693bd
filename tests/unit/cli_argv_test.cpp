#include "cli/argv.h"

#include <string>
#include <vector>

#include "catch.h"
#include "cli/argv_table.h"

namespace {

base::Result<cli::Request> parse(const std::vector<std::string>& words) {
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  return cli::parse_argv(static_cast<int>(argv.size()), argv.data());
}

cli::Request parsed(std::vector<std::string> words) {
  words.insert(words.begin(), "sendmail");
  base::Result<cli::Request> request = parse(words);
  INFO((request.ok() ? std::string() : request.error().cause));
  REQUIRE(request.ok());
  return std::move(*request);
}

base::Error refused(std::vector<std::string> words) {
  words.insert(words.begin(), "sendmail");
  base::Result<cli::Request> request = parse(words);
  REQUIRE_FALSE(request.ok());
  return request.error();
}

}  // namespace

TEST_CASE("argv: R20 every option that takes a value takes it joined and separate", "[cli]") {
  for (const char* letter : {"A", "h", "L", "p"}) {
    const std::string option = std::string("-") + letter;
    CHECK(parsed({option + "7", "a@b"}).operands == std::vector<std::string>{"a@b"});
    CHECK(parsed({option, "7", "a@b"}).operands == std::vector<std::string>{"a@b"});
  }
  CHECK(parsed({"-fu@x", "a@b"}).sender->text() == "u@x");
  CHECK(parsed({"-f", "u@x", "a@b"}).sender->text() == "u@x");
  CHECK(parsed({"-B8BITMIME", "a@b"}).body == mail::Body::eight_bit);
  CHECK(parsed({"-B", "8bitmime", "a@b"}).body == mail::Body::eight_bit);
  CHECK(parsed({"-oi", "a@b"}).dots == mail::Dots::kept);
  CHECK(parsed({"-o", "i", "a@b"}).dots == mail::Dots::kept);
  CHECK(parsed({"-FFull Name", "a@b"}).full_name == "Full Name");
  CHECK(parsed({"-F", "Full Name", "a@b"}).full_name == "Full Name");
}

TEST_CASE("argv: R20 flags may be clustered, up to the first that takes a value", "[cli]") {
  for (const char* cluster : {"-ti", "-it", "-tvi"}) {
    const cli::Request request = parsed({cluster});
    CHECK(request.recipients_from_header);
    CHECK(request.dots == mail::Dots::kept);
  }
  CHECK(parsed({"-tv"}).verbose);
  const cli::Request request = parsed({"-ioee", "a@b"});
  CHECK(request.dots == mail::Dots::kept);
  CHECK(request.operands == std::vector<std::string>{"a@b"});
  CHECK(parsed({"-itfu@x"}).sender->text() == "u@x");
}

TEST_CASE("argv: R21 an empty argument, <> and joined <> are the null reverse-path", "[cli]") {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"-f", "", "a@b"}, {"-f", "<>", "a@b"}, {"-f<>", "a@b"}}) {
    const cli::Request request = parsed(words);
    REQUIRE(request.sender.has_value());
    CHECK(request.sender->null());
  }
}

TEST_CASE("argv: R22 the last -f or -r wins, the first account does", "[cli]") {
  CHECK(parsed({"-t", "-i", "-oi", "-fX@x", "-t", "-r", "Y@y"}).sender->text() == "Y@y");
  CHECK(parsed({"-a", "one", "--account=two", "a@b"}).account == "one");
  CHECK(parsed({"--account", "two", "-aone", "a@b"}).account == "two");
}

TEST_CASE("argv: R24 behind -- an address may begin with a dash", "[cli]") {
  CHECK(parsed({"-i", "--", "-bob@x", "--y@z"}).operands ==
        std::vector<std::string>{"-bob@x", "--y@z"});
}

TEST_CASE("argv: D2 an option behind a recipient is 64", "[cli]") {
  CHECK(refused({"bob@x", "-oi"}).fault == base::Fault::usage);
  CHECK(refused({"bob@x", "-f", "y@x"}).fault == base::Fault::usage);
  CHECK(parsed({"bob@x", "--", "-y@x"}).operands.size() == 2);
}

TEST_CASE("argv: what names a file or runs something is 64 (A1, A2)", "[cli]") {
  for (const char* word : {"-X/tmp/x",
                           "-C/etc/passwd",
                           "-D/tmp/d",
                           "-Mrm",
                           "-be",
                           "-bf",
                           "-bF",
                           "-ba",
                           "-bd",
                           "-bt",
                           "-bV",
                           "-bS",
                           "-E",
                           "-s",
                           "-T",
                           "-Sx",
                           "-Qx",
                           "-J",
                           "-y",
                           "-Z",
                           "-?",
                           "-0",
                           "--config=/tmp/x",
                           "--word",
                           "-"}) {
    INFO(word);
    const base::Error error = refused({word, "a@b"});
    CHECK(error.fault == base::Fault::usage);
    CHECK_FALSE(error.cause.empty());
    CHECK_FALSE(error.cure.empty());
  }
}

TEST_CASE("argv: file-valued -o and -O are read and change nothing (A1)", "[cli]") {
  const cli::Request request = parsed({"-oQ/tmp", "-oX/tmp/x", "-OQueueDirectory=/tmp", "-O", "X=y",
                                       "-oA/etc/x", "-odb", "-oem", "a@b"});
  CHECK(request.operands == std::vector<std::string>{"a@b"});
  CHECK(request.dots == mail::Dots::rule);
  CHECK(parsed({"-OIgnoreDots=true", "a@b"}).dots == mail::Dots::kept);
  CHECK(parsed({"-oeq", "a@b"}).quiet);
  CHECK(parsed({"-o", "", "a@b"}).operands.size() == 1);
}

TEST_CASE("argv: an option that lacks its value is 64, a value is taken literally", "[cli]") {
  CHECK(refused({"-f"}).fault == base::Fault::usage);
  CHECK(refused({"-t", "-F"}).fault == base::Fault::usage);
  // The word after -f is the sender, whatever it looks like; "-i" is no address: 65.
  CHECK(refused({"-f", "-i@", "bob@x"}).fault == base::Fault::bad_message);
  CHECK(refused({"-f", "a@e>\r\nRCPT TO:<evil@x", "bob@x"}).fault == base::Fault::bad_message);
}

TEST_CASE("argv: -q and -d never take the next argument", "[cli]") {
  CHECK(parsed({"-d", "a@b"}).operands == std::vector<std::string>{"a@b"});
  CHECK(parsed({"-d0.1", "a@b"}).operands == std::vector<std::string>{"a@b"});
  CHECK(parsed({"-q"}).mode == cli::Mode::run_queue);
  CHECK(parsed({"-q15m"}).mode == cli::Mode::run_queue);
}

TEST_CASE("argv: -N -R -V as RFC 3461 writes them; what is malformed is left out", "[cli]") {
  const cli::Request request =
      parsed({"-N", "failure,Delay", "-R", "hdrs", "-V", "id+2B1", "--", "a@b"});
  CHECK(request.notify == "FAILURE,DELAY");
  CHECK(request.ret == "HDRS");
  CHECK(request.envid == "id+2B1");
  CHECK(parsed({"-Nnever", "a@b"}).notify == "NEVER");
  CHECK(parsed({"-N", "never,success", "a@b"}).notify.empty());
  CHECK(parsed({"-N", "often", "a@b"}).notify.empty());
  CHECK(parsed({"-V", "a b", "a@b"}).envid.empty());
  CHECK(refused({"-V", "a\nb", "a@b"}).fault == base::Fault::usage);
  CHECK(refused({"-B", "BINARY", "a@b"}).fault == base::Fault::usage);
}

TEST_CASE("argv: R8 the name we are called by chooses the mode", "[cli]") {
  CHECK(parse({"/usr/bin/mailq"})->mode == cli::Mode::list_queue);
  CHECK(parse({"newaliases"})->mode == cli::Mode::rebuild);
  CHECK(parse({"/usr/lib/sendmail", "-bi"})->mode == cli::Mode::rebuild);
  CHECK(parse({"anything", "a@b"})->mode == cli::Mode::deliver);
  CHECK_FALSE(parse({"smtpd"}).ok());
  CHECK(cli::parse_argv(0, nullptr).ok());
}

TEST_CASE("argv: every letter of the option table has an argument rule, and refusals a reason",
          "[cli]") {
  const std::string letters = "AaBbCcDdEeFfGhIiJLMmNnOopQqRrSsTtUVvXx";
  for (const char letter : letters) {
    const cli::OptionRow* row = cli::find_option(letter);
    INFO(letter);
    REQUIRE(row != nullptr);
    if (row->deed == cli::Deed::refuse || row->deed == cli::Deed::ignore) {
      CHECK(std::string(row->why).size() > 5);
    }
  }
  CHECK(cli::find_option('z') == nullptr);
}

TEST_CASE("argv: -bs and -bv are modes, joined, separate and in a cluster", "[cli]") {
  CHECK(parsed({"-bs"}).mode == cli::Mode::speak_smtp);
  CHECK(parsed({"-b", "s", "-i", "-odb", "-oem"}).mode == cli::Mode::speak_smtp);
  CHECK(parsed({"-ibs"}).mode == cli::Mode::speak_smtp);
  CHECK(parsed({"-bv", "a@b"}).mode == cli::Mode::verify);
  CHECK(refused({"-bvx", "a@b"}).fault == base::Fault::usage);
  CHECK(refused({"-bS"}).fault == base::Fault::usage);
}
