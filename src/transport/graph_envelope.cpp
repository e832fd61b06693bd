#include "transport/graph_envelope.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "mail/address.h"
#include "mail/address_field.h"
#include "mail/idn.h"
#include "mail/mime.h"

namespace transport {

namespace {

using People = std::set<std::string, std::less<>>;

constexpr std::array<std::string_view, 4> recipient_fields = {"To", "Cc", "Resent-To", "Resent-Cc"};
constexpr std::string_view moved_prefix = "X-Mailbearer-";
constexpr std::string_view separator = ",\r\n ";

// The name as it is usually written, or nothing: the field names no recipient.
std::string_view recipient_field(const mail::Field& field) {
  for (const std::string_view name : recipient_fields) {
    if (mail::is_named(field, name)) return name;
  }
  return {};
}

// One text for all spellings of a mailbox. A domain that has no A-labels is only itself.
std::string one_spelling(mail::Mailbox mailbox) {
  if (!base::is_ascii(mailbox.domain)) {
    base::Result<std::string> labels = mail::to_a_labels(mailbox.domain);
    if (labels) mailbox.domain = std::move(*labels);
  }
  return mail::identity(mailbox);
}

struct Person {
  std::string spelling{};
  mail::Mailbox mailbox{};
  std::string text{};  // as it stands in the field
};

std::string text_of(std::string_view body, const mail::AddressPlace& place) {
  if (place.behind_torn) return "<" + place.plain + ">";
  return std::string(base::trim(place.element.of(body)));
}

// Those named in the field. Nothing: two readers do not agree on it, so a third one might not.
std::optional<std::vector<Person>> people_in(std::string_view body) {
  base::Result<std::vector<mail::Address>> list = mail::parse_address_list(body);
  std::optional<mail::AddressField> field = mail::read_address_field(body);
  if (!list || !field) return std::nullopt;
  std::erase_if(*list, [](const mail::Address& one) { return mail::is_torn_word(one.mailbox); });
  std::erase_if(field->addresses, [](const mail::AddressPlace& one) { return one.torn; });
  if (list->size() != field->addresses.size()) return std::nullopt;
  std::vector<Person> people;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const mail::AddressPlace& place = field->addresses[i];
    const base::Result<mail::Mailbox> again = mail::parse_mailbox(place.plain);
    if (!again || !mail::same(*again, (*list)[i].mailbox)) return std::nullopt;
    people.push_back({one_spelling(*again), *again, text_of(body, place)});
  }
  return people;
}

base::Error would_reach(const Person& stray, std::string_view field) {
  return base::failure(base::Fault::not_permitted,
                       "Graph would also mail " + base::clean(stray.mailbox.text(), 60) + " (in " +
                           std::string(field) + ", but no recipient)",
                       "send by an account with transport = smtp, or set envelope = rewrite");
}

base::Error unreadable(std::string_view field) {
  return base::failure(base::Fault::bad_message,
                       "cannot tell whom Graph would find in " + std::string(field),
                       "correct its addresses, or set envelope = rewrite");
}

bool same_people(const std::optional<std::vector<Person>>& found, const std::vector<Person>& due) {
  return found &&
         std::equal(found->begin(), found->end(), due.begin(), due.end(),
                    [](const Person& a, const Person& b) { return a.spelling == b.spelling; });
}

// A list on lines of its own.
std::string joined(const std::vector<Person>& people) {
  std::string body;
  for (const Person& one : people) {
    body += body.empty() ? std::string_view(" ") : separator;
    body += one.text;
  }
  return body;
}

// Builds the header field by field.
class Rewriter {
 public:
  Rewriter(const mail::Envelope& envelope, Strays strays) : strays_(strays) {
    for (const mail::Recipient& recipient : envelope.recipients) {
      wanted_.insert(one_spelling(recipient.mailbox));
    }
  }

  base::Done take(const mail::Field& field) {
    // Whoever stood there is in the envelope, or was not to be written to.
    if (mail::is_named(field, "Bcc") || mail::is_named(field, "Resent-Bcc")) return base::done();
    const std::string_view name = recipient_field(field);
    if (name.empty()) {
      out_.fields.push_back(field);
      return base::done();
    }
    const std::optional<std::vector<Person>> people = people_in(field.body);
    if (people && strays_in(*people) == people->end()) {
      out_.fields.push_back(field);
      note(name, *people);
      return base::done();
    }
    if (strays_ == Strays::refused) {
      if (!people) return unreadable(name);
      return would_reach(*strays_in(*people), name);
    }
    move(name, field, people);
    return base::done();
  }

  base::Result<mail::Header> finish(const mail::Envelope& envelope) {
    base::Done added = add_bcc(envelope);
    if (!added) return std::move(added).error();
    if (out_.find("To") == nullptr && out_.find("Cc") == nullptr) {
      out_.append("To", "undisclosed-recipients:;");
    }
    base::Done folded = mail::fold_long_fields(out_);
    if (!folded) return std::move(folded).error();
    return std::move(out_);
  }

 private:
  // The first of them who is not in the envelope.
  std::vector<Person>::const_iterator strays_in(const std::vector<Person>& people) const {
    return std::find_if_not(people.begin(), people.end(),
                            [this](const Person& one) { return wanted_.contains(one.spelling); });
  }

  void move(std::string_view name, const mail::Field& field,
            const std::optional<std::vector<Person>>& people) {
    out_.fields.push_back({std::string(moved_prefix) + std::string(name), field.body});
    if (!people) return;
    std::vector<Person> kept;
    for (const Person& one : *people) {
      if (wanted_.contains(one.spelling)) kept.push_back(one);
    }
    if (kept.empty()) return;
    const std::string body = joined(kept);
    // A piece of a list may mean something else by itself.
    if (!same_people(people_in(body), kept)) return;
    out_.fields.push_back({std::string(name), body});
    note(name, kept);
  }

  // RFC 5322 3.6 has one To and one Cc. Of several, Graph may read any.
  void note(std::string_view name, const std::vector<Person>& people) {
    if (name != "To" && name != "Cc") return;
    People& found = name == "To" ? to_ : cc_;
    bool& seen = name == "To" ? to_seen_ : cc_seen_;
    if (seen) {
      found.clear();
      return;
    }
    seen = true;
    for (const Person& one : people) found.insert(one.spelling);
  }

  base::Done add_bcc(const mail::Envelope& envelope) {
    std::vector<Person> missing;
    People known;
    for (const mail::Recipient& recipient : envelope.recipients) {
      Person one{one_spelling(recipient.mailbox), recipient.mailbox, {}};
      if (to_.contains(one.spelling) || cc_.contains(one.spelling)) continue;
      if (!known.insert(one.spelling).second) continue;
      if (!base::is_ascii(one.mailbox.domain)) {
        base::Result<std::string> labels = mail::to_a_labels(one.mailbox.domain);
        if (!labels) return std::move(labels).error();
        one.mailbox.domain = std::move(*labels);
      }
      one.text = one.mailbox.text();
      missing.push_back(std::move(one));
    }
    if (missing.empty()) return base::done();
    const std::string body = joined(missing);
    // Whoever made the mailboxes: what is written must mean them, and nobody else.
    if (!same_people(people_in(body), missing)) {
      return base::failure(base::Fault::bad_message, "an address cannot be written into a header",
                           "correct the address");
    }
    out_.fields.push_back({"Bcc", body});
    return base::done();
  }

  Strays strays_;
  People wanted_{};
  People to_{};
  People cc_{};
  bool to_seen_ = false;
  bool cc_seen_ = false;
  mail::Header out_{};
};

}  // namespace

base::Result<mail::Header> graph_header(const mail::Prepared& prepared, Strays strays) {
  Rewriter rewriter(prepared.envelope, strays);
  for (const mail::Field& field : prepared.message.header.fields) {
    base::Done taken = rewriter.take(field);
    if (!taken) return std::move(taken).error();
  }
  return rewriter.finish(prepared.envelope);
}

}  // namespace transport
