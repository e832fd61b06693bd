#include "mail/submission.h"

#include <optional>

#include "catch.h"

namespace {

mail::Submission submission(const std::string& text) {
  base::Scratch bytes;
  REQUIRE(bytes.append(text));
  auto message = mail::split(std::move(bytes));
  REQUIRE(message);
  mail::Submission out;
  out.id = "0123";
  out.peer.uid = 33;
  out.at = 17;
  out.asked_account = "work";
  mail::add_recipient(out.envelope, {mail::parse_mailbox("a@x.example").value(), {}, {}});
  out.message = std::move(*message);
  return out;
}

std::string body_of(const mail::Submission& one) {
  const auto all = one.message.bytes.all(10'000'000);
  REQUIRE(all);
  return all->substr(one.message.body_offset);
}

}  // namespace

TEST_CASE("submission: a twin is equal, and stays when the first one is gone", "[mail]") {
  for (const std::size_t size : {std::size_t{10}, std::size_t{500'000}}) {
    const std::string body(size, 'x');
    std::optional<mail::Submission> first = submission("Subject: s\r\n\r\n" + body);
    auto twin = mail::twin_of(*first);
    REQUIRE(twin);
    CHECK(twin->message.bytes.in_file() == (size > base::Scratch::memory_limit_bytes));
    first->message.header.append("To", "b@y.example");
    CHECK(twin->message.header.find("To") == nullptr);
    REQUIRE(first->message.bytes.lend_fd());
    first.reset();
    CHECK(body_of(*twin) == body);
    CHECK(twin->id == "0123");
    CHECK(twin->at == 17);
    CHECK(twin->peer.uid == 33);
    CHECK(twin->asked_account == "work");
    CHECK(twin->envelope.recipients.size() == 1);
    CHECK_FALSE(
        mail::add_recipient(twin->envelope, {mail::parse_mailbox("a@X.example").value(), {}, {}}));
  }
}
