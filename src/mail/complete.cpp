#include "mail/complete.h"

#include <set>

#include "base/clock.h"
#include "base/text.h"

namespace mail {
namespace {

bool empty(const Field& field) {
  return base::trim(field.body).empty();
}

bool has(const Header& header, std::string_view name) {
  for (const Field& field : header.fields)
    if (is_named(field, name) && !empty(field)) return true;
  return false;
}

// An empty field of that name is filled where it stands; else a new one stands at the end, where it
// breaks no Resent- block.
void put(Header& header, std::string_view name, std::string_view value) {
  if (Field* field = header.find(name))
    field->body = " " + std::string(value);
  else
    header.append(name, value);
}

void put_if_missing(Header& header, std::string_view name, std::string_view value) {
  if (!has(header, name)) put(header, name, value);
}

// Fields that the newest Resent- block (RFC 5322 3.6.6) lacks, at its end.
void complete_resent(Header& header, const std::string& date, const std::string& message_id) {
  std::vector<Field>& fields = header.fields;
  std::size_t begin = 0;
  while (begin < fields.size() && !base::starts_with_ignoring_case(fields[begin].name, "Resent-"))
    ++begin;
  if (begin == fields.size()) return;
  std::set<std::string> names;
  std::size_t end = begin;
  Field* found_date = nullptr;
  Field* found_id = nullptr;
  for (; end < fields.size(); ++end) {
    Field& field = fields[end];
    if (!base::starts_with_ignoring_case(field.name, "Resent-")) break;
    if (!names.insert(base::lower(field.name)).second) break;
    if (is_named(field, "Resent-Date")) found_date = &field;
    if (is_named(field, "Resent-Message-ID")) found_id = &field;
  }
  if (found_date != nullptr && empty(*found_date)) found_date->body = " " + date;
  if (found_id != nullptr && empty(*found_id)) found_id->body = " " + message_id;
  const bool lacks_date = found_date == nullptr;
  const bool lacks_id = found_id == nullptr;
  const auto at = fields.begin() + static_cast<std::ptrdiff_t>(end);
  std::vector<Field> added;
  if (lacks_date) added.push_back({"Resent-Date", " " + date});
  if (lacks_id) added.push_back({"Resent-Message-ID", " " + message_id});
  fields.insert(at, added.begin(), added.end());
}

}  // namespace

void add_missing_from(Header& header, const Mailbox& sender, std::string_view name) {
  if (has(header, "From")) return;
  std::string clean(name);
  for (char& c : clean)
    if (base::is_control(c)) c = ' ';
  const std::string_view shown = base::trim(clean);
  put(header, "From",
      shown.empty() ? sender.text() : quote_phrase(shown) + " <" + sender.text() + ">");
}

void complete(Header& header, const Completion& facts) {
  const std::string date = base::rfc5322_date(facts.at);
  const std::string message_id = "<" + facts.id + "@" + facts.domain + ">";
  put_if_missing(header, "From", facts.sender.text());
  if (!has(header, "To") && !has(header, "Cc")) put(header, "To", "undisclosed-recipients:;");
  put_if_missing(header, "Date", date);
  put_if_missing(header, "Message-ID", message_id);
  // The same id would make the resent message a copy of one that has just been completed.
  complete_resent(header, date, "<" + facts.id + ".resent@" + facts.domain + ">");
  header.prepend("Received", "by " + facts.domain + " id " + facts.id + "; " + date);
}

}  // namespace mail
