#include "mail/complete.h"

#include "base/text.h"
#include "catch.h"

namespace {

mail::Header header_of(std::initializer_list<std::pair<const char*, const char*>> fields) {
  mail::Header header;
  for (const auto& [name, body] : fields) header.fields.push_back({name, body});
  return header;
}

mail::Completion facts() {
  return {
      1795213934, "0123456789abcdef0123456789abcdef", "contoso.com", {"noreply", "contoso.com"}};
}

std::string value(const mail::Header& header, const char* name) {
  const mail::Field* field = header.find(name);
  return field == nullptr ? "(none)" : std::string(base::trim(field->body));
}

std::string names(const mail::Header& header) {
  std::string out;
  for (const mail::Field& field : header.fields) out += field.name + " ";
  return out;
}

}  // namespace

TEST_CASE("complete: R34: an empty header gets From, To, Date, Message-ID and Received", "[mail]") {
  mail::Header header;
  mail::complete(header, facts());
  CHECK(names(header) == "Received From To Date Message-ID ");
  CHECK(value(header, "From") == "noreply@contoso.com");
  CHECK(value(header, "To") == "undisclosed-recipients:;");
  CHECK(value(header, "Message-ID") == "<0123456789abcdef0123456789abcdef@contoso.com>");
  const std::string date = value(header, "Date");
  CHECK(date.find("2026") != std::string::npos);
  CHECK(value(header, "Received") == "by contoso.com id 0123456789abcdef0123456789abcdef; " + date);
}

TEST_CASE("complete: R34: what is present in any case of its name stays", "[mail]") {
  mail::Header header = header_of(
      {{"FROM", " a@b"}, {"cc", " c@d"}, {"DATE", " nonsense"}, {"Message-Id", " <x@y>"}});
  mail::complete(header, facts());
  CHECK(names(header) == "Received FROM cc DATE Message-Id ");
  CHECK(value(header, "Date") == "nonsense");
}

TEST_CASE("complete: an empty field is filled where it stands", "[mail]") {
  mail::Header header = header_of(
      {{"From", ""}, {"To", " \r\n "}, {"Date", " "}, {"message-id", "\t"}, {"Subject", ""}});
  mail::complete(header, facts());
  CHECK(names(header) == "Received From To Date message-id Subject ");
  CHECK(value(header, "From") == "noreply@contoso.com");
  CHECK(value(header, "To") == "undisclosed-recipients:;");
  CHECK(value(header, "message-id")[0] == '<');
  CHECK(value(header, "Subject").empty());
}

TEST_CASE("complete: an empty To beside a Cc is left alone", "[mail]") {
  mail::Header header = header_of({{"To", " "}, {"Cc", " a@b"}});
  mail::complete(header, facts());
  CHECK(value(header, "To").empty());
}

TEST_CASE("complete: only the newest Resent- block is completed, inside its own bounds", "[mail]") {
  mail::Header header = header_of({{"Received", " by x"},
                                   {"Resent-From", " new@x"},
                                   {"Resent-To", " bob@x"},
                                   {"Resent-From", " old@x"},
                                   {"Resent-Date", " long ago"},
                                   {"From", " a@b"},
                                   {"To", " old@example.org"}});
  mail::complete(header, facts());
  CHECK(names(header) ==
        "Received Received Resent-From Resent-To Resent-Date Resent-Message-ID Resent-From "
        "Resent-Date From To Date Message-ID ");
  CHECK(value(header, "Resent-Message-ID") != value(header, "Message-ID"));
}

TEST_CASE("complete: a whole Resent- block keeps its fields", "[mail]") {
  mail::Header header = header_of({{"Resent-To", " b@x"},
                                   {"resent-date", " then"},
                                   {"Resent-Message-Id", " <r@x>"},
                                   {"From", " a@b"},
                                   {"To", " c@d"},
                                   {"Date", " d"},
                                   {"Message-ID", " <i@x>"}});
  mail::complete(header, facts());
  CHECK(names(header) ==
        "Received Resent-To resent-date Resent-Message-Id From To Date Message-ID ");
  mail::Header empty = header_of({{"Resent-Date", " "}, {"Resent-Message-ID", ""}});
  mail::complete(empty, facts());
  CHECK(value(empty, "Resent-Date").find("2026") != std::string::npos);
  CHECK(value(empty, "Resent-Message-ID").find("@contoso.com>") != std::string::npos);
}

TEST_CASE("complete: 3.9: a missing From has its name quoted", "[mail]") {
  const auto from = [](std::string_view name) {
    mail::Header header;
    mail::add_missing_from(header, {"alice", ""}, name);
    return value(header, "From");
  };
  CHECK(from("Full, \"Q\" Name") == "\"Full, \\\"Q\\\" Name\" <alice>");
  CHECK(from("CronDaemon") == "CronDaemon <alice>");
  CHECK(from("Cron Daemon") == "Cron Daemon <alice>");
  CHECK(from("") == "alice");
  CHECK(from(" \t ") == "alice");
}

TEST_CASE("complete: A6: no name begins a header line of its own", "[mail]") {
  mail::Header header;
  mail::add_missing_from(header, {"alice", "x.org"}, std::string_view("a\nX-Inj: y\r\n\0z", 15));
  REQUIRE(header.fields.size() == 1);
  CHECK_FALSE(base::has_control(header.fields[0].body));
  CHECK(value(header, "From") == "\"a X-Inj: y   z\" <alice@x.org>");
}

TEST_CASE("complete: From that is there is never touched by a name", "[mail]") {
  mail::Header header = header_of({{"from", " root"}});
  mail::add_missing_from(header, {"alice", ""}, "Cron");
  CHECK(names(header) == "from ");
  CHECK(value(header, "From") == "root");
  mail::Header empty = header_of({{"Subject", " s"}, {"From", "  "}});
  mail::add_missing_from(empty, {"alice", ""}, "Cron");
  CHECK(value(empty, "From") == "Cron <alice>");
}
