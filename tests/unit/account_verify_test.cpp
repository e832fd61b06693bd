#include "account/verify.h"

#include <string>

#include "account/choose.h"
#include "account_files.h"

namespace {

// What -bv tells of these recipients, and how it ends.
struct Told {
  std::string lines;
  base::Fault fault = base::Fault::bug;
  bool ok = false;
};

Told told(const account::Configuration& configuration, const std::string& sender,
          std::initializer_list<const char*> recipients) {
  mail::Submission submission;
  submission.envelope.sender_given = !sender.empty();
  if (!sender.empty()) submission.envelope.sender = *mail::parse_reverse_path(sender);
  for (const char* recipient : recipients) {
    REQUIRE(mail::add_argument(submission.envelope, recipient).ok());
  }
  Told out;
  const base::Done done =
      account::verify(configuration, configuration.accounts[0], submission,
                      [&out](std::string_view line) { out.lines += std::string(line) + "\n"; });
  out.ok = done.ok();
  if (!out.ok) out.fault = done.error().fault;
  return out;
}

}  // namespace

TEST_CASE("verify: account, transport, sender and the end of each recipient", "[account]") {
  const TestFolder folder;
  const std::string aliases = folder.write("aliases", "root: a@ops.example, b@ops.example\n");
  const account::Configuration configuration =
      folder.loaded("[mailbearer]\naliases = " + aliases +
                    "\n[account work]\nprovider = google\nclient_id = c\nuser = me@work.example\n");
  const Told good = told(configuration, "me@work.example", {"root", "ann@example.org"});
  CHECK(good.ok);
  CHECK(good.lines ==
        "account: work\ntransport: smtp (smtp.gmail.com:465)\nsender: <me@work.example>\n"
        "recipient: root -> a@ops.example, b@ops.example\n"
        "recipient: ann@example.org -> ann@example.org\n");
}

TEST_CASE("verify: what sending would refuse is told, with the rest", "[account]") {
  const TestFolder folder;
  const std::string aliases = folder.write("aliases", "");
  const account::Configuration configuration =
      folder.loaded("[mailbearer]\naliases = " + aliases +
                    "\n[account work]\nprovider = google\nclient_id = c\nuser = me@work.example\n");
  const Told unknown = told(configuration, "", {"nobody", "ann@example.org"});
  CHECK_FALSE(unknown.ok);
  CHECK(unknown.fault == base::Fault::bad_recipient);
  CHECK(unknown.lines.find("recipient: nobody -> refused: ") != std::string::npos);
  CHECK(unknown.lines.find("recipient: ann@example.org -> ann@example.org\n") != std::string::npos);
  const Told foreign = told(configuration, "x@elsewhere.example", {"ann@example.org"});
  CHECK(foreign.fault == base::Fault::not_permitted);
  CHECK(foreign.lines.find("sender: refused: ") != std::string::npos);
}
