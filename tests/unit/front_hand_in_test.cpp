#include "front/hand_in.h"

#include "base/text.h"
#include "catch.h"

namespace {

const cli::Person alice{1234, "alice", "Alice O. Example", "/home/alice"};

std::string from_of(const mail::Message& message) {
  const mail::Field* from = message.header.find("From");
  return from == nullptr ? "(none)" : std::string(base::trim(from->body));
}

}  // namespace

TEST_CASE("hand_in: a From that is there stays, an empty one does not", "[front]") {
  mail::Message message;
  message.header.append("From", "Ann <ann@example.org>");
  CHECK_FALSE(front::add_from(message, alice, std::nullopt, std::nullopt));
  CHECK(from_of(message) == "Ann <ann@example.org>");
  mail::Message empty;
  empty.header.append("From", " ");
  CHECK(front::add_from(empty, alice, std::nullopt, std::nullopt));
  CHECK(from_of(empty).find("alice") != std::string::npos);
}

TEST_CASE("hand_in: the chosen sender comes bare, the login with its name", "[front]") {
  const mail::Mailbox sender{"me", "example.org"};
  mail::Message chosen;
  CHECK(front::add_from(chosen, alice, sender, std::nullopt));
  CHECK(from_of(chosen) == "me@example.org");
  mail::Message named;
  CHECK(front::add_from(named, alice, sender, "Cron"));
  CHECK(from_of(named) == "Cron <me@example.org>");
  for (const std::optional<mail::Mailbox>& none :
       {std::optional<mail::Mailbox>(), std::optional<mail::Mailbox>(mail::Mailbox{})}) {
    mail::Message login;
    CHECK(front::add_from(login, alice, none, std::nullopt));
    CHECK(from_of(login) == "\"Alice O. Example\" <alice>");
  }
}
