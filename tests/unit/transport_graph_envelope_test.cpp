#include "transport/graph_envelope.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "catch.h"

using transport::graph_header;
using transport::Strays;

namespace {

mail::Prepared a_message(const std::vector<std::pair<std::string, std::string>>& fields,
                         const std::vector<std::pair<std::string, std::string>>& envelope) {
  mail::Prepared out;
  for (const auto& [name, body] : fields) out.message.header.fields.push_back({name, " " + body});
  for (const auto& [local, domain] : envelope) {
    out.envelope.recipients.push_back({mail::Mailbox{local, domain}, {}, {}});
  }
  return out;
}

std::string all_of(const mail::Header& header, std::string_view name) {
  std::string out;
  for (const mail::Field& field : header.fields) {
    if (mail::is_named(field, name)) out += mail::unfold(field.body) + "|";
  }
  return out;
}

// The model: whom a reader of a header would find. It knows the words that the generator below
// writes, each with the person it stands for, and nothing of the parser under test.
struct Spelling {
  std::string text;  // as it stands in a field
  int person;        // index into `people`
};

struct Human {
  std::string local;
  std::string domain;
  std::vector<std::string> spellings;
  std::string ascii_domain = domain;
};

const std::vector<Human>& people() {
  static const std::vector<Human> all = {
      {"ann",
       "one.example",
       {"ann@one.example", "Ann <ann@ONE.example>", "<ann@one.Example>",
        "\"Ann, B.\" <ann@one.example>", "ann@one.example (a, b@evil.example)"}},
      {"bob",
       "two.example",
       {"bob@two.example", "(bob@no.example) bob@two.example",
        "=?utf-8?Q?B=C3=B6b?= <bob@two.example>"}},
      {"c d", "three.example", {"\"c d\"@three.example", "C <\"c d\"@THREE.example>"}},
      {"dora",
       "b\xC3\xBC"
       "cher.example",
       {"dora@b\xC3\xBC"
        "cher.example",
        "D <dora@xn--bcher-kva.example>", "dora@XN--BCHER-KVA.example"},
       "xn--bcher-kva.example"},
      {"eve",
       "five.example",
       {"\"a@one.example\" <eve@five.example>", "eve@five.example",
        "\xC3\x88ve <eve@five.example>"}},
      {"Eve", "five.example", {"Eve@five.example", "<Eve@five.example>"}},
      {"fay", "[192.0.2.1]", {"fay@[192.0.2.1]"}},
      {"g.h+tag", "seven.example", {"g.h+tag@seven.example", "\"g.h+tag\"@seven.example"}},
      {"\xC3\xA9lan",
       "eight.example",
       {"\xC3\xA9lan@eight.example", "E <\xC3\xA9lan@eight.example>"}},
      {"ian",
       "nine.example",
       {"ian@nine.example", "ian @ nine.example", "I\r\n <ian@nine.example>"}},
  };
  return all;
}

// A field of the output is recognised by the spellings that were put in, longest first: what is
// found is cut out, so that no other one is found within it.
std::set<int> found_in(std::string body) {
  std::vector<Spelling> known;
  for (std::size_t i = 0; i < people().size(); ++i) {
    for (const std::string& text : people()[i].spellings)
      known.push_back({text, static_cast<int>(i)});
    const Human& one = people()[i];
    const bool quoted = one.local.find(' ') != std::string::npos;
    const std::string domain = one.ascii_domain;
    known.push_back(
        {(quoted ? "\"" + one.local + "\"" : one.local) + "@" + domain, static_cast<int>(i)});
  }
  std::stable_sort(known.begin(), known.end(), [](const Spelling& a, const Spelling& b) {
    return a.text.size() > b.text.size();
  });
  std::set<int> out;
  for (const Spelling& one : known) {
    for (std::size_t at = body.find(one.text); at != std::string::npos; at = body.find(one.text)) {
      body.replace(at, one.text.size(), "#");
      out.insert(one.person);
    }
  }
  INFO("left: " << body);
  CHECK(body.find('@') == std::string::npos);  // the model understood all of it
  return out;
}

struct Draw {
  std::mt19937 bits;
  int below(int limit) { return static_cast<int>(bits() % static_cast<unsigned>(limit)); }
  std::string spelling(int person) {
    const auto& all = people()[static_cast<std::size_t>(person)].spellings;
    return all[static_cast<std::size_t>(below(static_cast<int>(all.size())))];
  }
  // A list, perhaps with a group, empty elements and repetitions.
  std::string list(const std::vector<int>& members) {
    std::string out;
    const int form = below(5);
    for (const int one : members) {
      if (!out.empty()) out += below(3) == 0 ? ",\r\n\t" : ", ";
      out += spelling(one);
      if (below(8) == 0) out += ", " + spelling(one);
    }
    if (form == 0) return "Friends: " + out + ";";
    if (form == 1) return "Nobody:;, " + out;
    if (form == 2) return out + ",";
    if (form == 3) return "(all of them) " + out;
    return out;
  }
};

struct Pair {
  std::vector<std::pair<std::string, std::string>> fields{};
  std::set<int> in_header{};  // but for Bcc
  std::set<int> envelope{};
};

Pair a_pair(Draw& draw) {
  Pair out;
  const int all = static_cast<int>(people().size());
  const bool tame = draw.below(2) == 0;  // nobody in the header who is not in the envelope
  for (int i = 0; i < all; ++i) {
    if (draw.below(2) == 0) out.envelope.insert(i);
  }
  if (out.envelope.empty()) out.envelope.insert(draw.below(all));
  for (const char* name : {"To", "Cc", "Bcc", "Resent-To", "TO", "Resent-Cc", "Resent-Bcc", "To"}) {
    const bool usual = std::string(name) == "To" || std::string(name) == "Cc";
    if (draw.below(usual ? 2 : 6) != 0) continue;
    std::vector<int> members;
    for (int i = 0; i < all; ++i) {
      if (draw.below(4) != 0 || (tame && !out.envelope.contains(i))) continue;
      members.push_back(i);
    }
    if (members.empty()) continue;
    out.fields.emplace_back(name, draw.list(members));
    if (std::string(name).find("Bcc") == std::string::npos) {
      out.in_header.insert(members.begin(), members.end());
    }
    if (draw.below(3) == 0) out.fields.emplace_back("Subject", "x@y.example, z@w.example");
  }
  return out;
}

std::set<int> reached(const mail::Header& header, const std::vector<std::string>& names) {
  std::set<int> out;
  for (const mail::Field& field : header.fields) {
    for (const std::string& name : names) {
      if (!mail::is_named(field, name)) continue;
      const std::set<int> some = found_in(field.body);
      out.insert(some.begin(), some.end());
    }
  }
  return out;
}

mail::Prepared prepared_of(const Pair& pair) {
  std::vector<std::pair<std::string, std::string>> envelope;
  for (const int one : pair.envelope) {
    const Human& human = people()[static_cast<std::size_t>(one)];
    envelope.emplace_back(human.local, human.domain);
  }
  return a_message(pair.fields, envelope);
}

}  // namespace

TEST_CASE("graph envelope: 4000 pairs of envelope and header, no stray and nobody missing",
          "[transport]") {
  Draw draw{std::mt19937(20261121)};
  int refused = 0;
  int moved = 0;
  for (int i = 0; i < 4000; ++i) {
    const Pair pair = a_pair(draw);
    const mail::Prepared message = prepared_of(pair);
    INFO("pair " << i << "\n" << message.message.header.text());
    const bool strays = !std::includes(pair.envelope.begin(), pair.envelope.end(),
                                       pair.in_header.begin(), pair.in_header.end());
    const auto strict = graph_header(message, Strays::refused);
    REQUIRE(strict.ok() == !strays);
    if (strays) {
      ++refused;
      CHECK(strict.error().fault == base::Fault::not_permitted);
    }
    const auto rewritten = graph_header(message, Strays::moved);
    REQUIRE(rewritten.ok());
    if (strays) ++moved;
    for (const auto* header : {strays ? nullptr : &*strict, &*rewritten}) {
      if (header == nullptr) continue;
      INFO("becomes\n" << header->text());
      CHECK(reached(*header, {"To", "Cc", "Bcc"}) == pair.envelope);
      const std::set<int> widest =
          reached(*header, {"To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc"});
      CHECK(widest == pair.envelope);
      CHECK(header->count("Bcc") <= 1);
      CHECK(header->count("Resent-Bcc") == 0);
      CHECK(header->count("To") + header->count("Cc") > 0);
    }
    if (!strays) CHECK(strict->text() == rewritten->text());
  }
  CHECK(refused > 500);
  CHECK(moved > 500);
}

TEST_CASE("graph envelope: a header that says what the envelope says stays as it is",
          "[transport]") {
  const auto message =
      a_message({{"To", "Ann <ann@One.example>"}, {"Subject", "x"}}, {{"ann", "one.example"}});
  CHECK(graph_header(message, Strays::refused)->text() == message.message.header.text());
}

TEST_CASE("graph envelope: recipients of the envelope alone become Bcc", "[transport]") {
  const auto message = a_message({{"To", "undisclosed-recipients:;"}}, {{"a b", "x.example"},
                                                                        {"c",
                                                                         "b\xC3\xBC"
                                                                         "cher.example"}});
  const auto header = graph_header(message, Strays::refused);
  CHECK(all_of(*header, "Bcc") == "\"a b\"@x.example, c@xn--bcher-kva.example|");
  CHECK(all_of(*header, "To") == "undisclosed-recipients:;|");
}

TEST_CASE("graph envelope: a stray is refused with 77 and what to do", "[transport]") {
  const auto message = a_message({{"To", "list@example.net"}}, {{"x", "example.org"}});
  const auto header = graph_header(message, Strays::refused);
  CHECK(header.error().fault == base::Fault::not_permitted);
  CHECK(header.error().cause == "Graph would also mail list@example.net (in To, but no recipient)");
  CHECK(header.error().cure ==
        "send by an account with transport = smtp, or set envelope = rewrite");
}

TEST_CASE("graph envelope: rewrite keeps the field under another name and who may stay in place",
          "[transport]") {
  const auto message = a_message(
      {{"To", "List <list@example.net>, X (me) <x@example.org>"}, {"Cc", "y@example.net"}},
      {{"x", "example.org"}, {"z", "example.org"}});
  const auto header = graph_header(message, Strays::moved);
  CHECK(all_of(*header, "X-Mailbearer-To") == "List <list@example.net>, X (me) <x@example.org>|");
  CHECK(all_of(*header, "X-Mailbearer-Cc") == "y@example.net|");
  CHECK(all_of(*header, "To") == "X (me) <x@example.org>|");
  CHECK(all_of(*header, "Cc").empty());
  CHECK(all_of(*header, "Bcc") == "z@example.org|");
}

TEST_CASE("graph envelope: a resend goes to those of the Resent- block only", "[transport]") {
  const auto message = a_message({{"Resent-To", "new@example.org"}, {"To", "old@example.net"}},
                                 {{"new", "example.org"}});
  CHECK_FALSE(graph_header(message, Strays::refused).ok());
  const auto header = graph_header(message, Strays::moved);
  CHECK(all_of(*header, "Resent-To") == "new@example.org|");
  CHECK(all_of(*header, "X-Mailbearer-To") == "old@example.net|");
  CHECK(all_of(*header, "To") == "undisclosed-recipients:;|");
  CHECK(all_of(*header, "Bcc") == "new@example.org|");
}

TEST_CASE("graph envelope: a field that cannot be read surely is not left to Graph to read",
          "[transport]") {
  for (const char* body : {"a@x.example b@y.example", "\"a@x.example", "<@r.example:x@example.org>",
                           "<x@example.org", "x@example.org, (y@z.example"}) {
    INFO(body);
    const auto message = a_message({{"To", body}}, {{"x", "example.org"}});
    CHECK(graph_header(message, Strays::refused).error().fault == base::Fault::bad_message);
    const auto header = graph_header(message, Strays::moved);
    REQUIRE(header.ok());
    CHECK(all_of(*header, "To") == "undisclosed-recipients:;|");
    CHECK(all_of(*header, "Bcc") == "x@example.org|");
  }
}

TEST_CASE("graph envelope: nothing in a mailbox begins another field or recipient", "[transport]") {
  for (const char* domain : {"x.example\r\nBcc: y@z.example", "x.example, y@z.example",
                             "x.example>", "x.example (", "x.example;y@z.example"}) {
    INFO(domain);
    const auto message = a_message({{"To", "undisclosed-recipients:;"}}, {{"a", domain}});
    CHECK_FALSE(graph_header(message, Strays::refused).ok());
  }
  const auto quoted = a_message({{"To", "n:;"}}, {{"a,b@c.example", "x.example"}});
  CHECK(all_of(*graph_header(quoted, Strays::refused), "Bcc") == "\"a,b@c.example\"@x.example|");
}

TEST_CASE("graph envelope: of two To fields neither is relied on", "[transport]") {
  const auto message = a_message({{"To", "a@x.example"}, {"To", "b@x.example"}},
                                 {{"a", "x.example"}, {"b", "x.example"}});
  CHECK(all_of(*graph_header(message, Strays::refused), "Bcc") == "a@x.example, b@x.example|");
}
