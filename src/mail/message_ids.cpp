#include "mail/message_ids.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "mail/address_field.h"
#include "mail/address_tokens.h"

namespace mail {
namespace {

constexpr std::size_t field_limit = 32768;
constexpr std::size_t line_limit = 998;  // RFC 5322 2.1.1
constexpr std::size_t reply_limit = 2048;

// Where ids stand in a field, without their brackets. Comments and quoted strings are stepped over;
// a field in which one of them does not end has none.
std::vector<Place> id_places(std::string_view body) {
  std::vector<Place> places;
  if (body.size() > field_limit) return places;
  const std::optional<std::vector<Piece>> pieces = pieces_of(body);
  if (!pieces) return places;
  std::size_t begin = 0;  // behind the last '<'; 0: none
  for (const Piece& piece : *pieces) {
    const char sign = piece.kind == Lexeme::special ? body[piece.place.at] : '\0';
    if (sign == '<') {
      begin = piece.place.end();
    } else if (sign == '>' && begin > 0) {
      const Place place{begin, piece.place.at - begin};
      if (is_message_id(place.of(body))) places.push_back(place);
      begin = 0;
    }
  }
  return places;
}

// Whether h= of a signature names the field. Source: RFC 6376 3.5, whose form RFC 8617 (ARC) and
// the signatures of patches (X-Developer-Signature) share.
bool signature_names(const Field& signature, std::string_view name) {
  if (signature.body.size() > field_limit) return true;  // not read, so left in peace
  const std::string text = unfold(signature.body);
  for (const std::string_view tag : base::split(text, ';')) {
    const std::size_t equals = tag.find('=');
    if (equals == std::string_view::npos || base::trim(tag.substr(0, equals)) != "h") continue;
    for (const std::string_view one : base::split(tag.substr(equals + 1), ':')) {
      if (base::same_ignoring_case(base::trim(one), name)) return true;
    }
  }
  return false;
}

bool is_covered(const Header& header, std::string_view name) {
  return std::any_of(header.fields.begin(), header.fields.end(), [name](const Field& field) {
    return (is_named(field, "DKIM-Signature") || is_named(field, "ARC-Message-Signature") ||
            is_named(field, "X-Developer-Signature")) &&
           signature_names(field, name);
  });
}

// The fields that may be changed, by their place in the header.
std::vector<std::size_t> reference_fields(const Header& header) {
  std::vector<std::size_t> found;
  for (const char* name : {"In-Reply-To", "References"}) {
    if (header.find(name) == nullptr || is_covered(header, name)) continue;
    for (std::size_t i = 0; i < header.fields.size(); ++i) {
      if (is_named(header.fields[i], name)) found.push_back(i);
    }
  }
  return found;
}

bool has_long_line(const Field& field) {
  const std::size_t room = line_limit - std::min(line_limit, field.name.size() + 1);
  for (const std::string_view line : base::split(field.body, '\n')) {
    if (line.size() > room) return true;
  }
  return false;
}

// Blanks around each new id that stands directly beside something else.
void set_apart(std::string_view body, std::vector<Edit>& edits) {
  std::size_t set_until = 0;  // the id before has its blank there
  for (Edit& edit : edits) {
    Place& place = edit.place;  // now with the brackets
    place = {place.at - 1, place.size + 2};
    const bool before = place.at == set_until || base::is_blank(body[place.at - 1]);
    const bool behind = place.end() == body.size() || base::is_blank(body[place.end()]) ||
                        body[place.end()] == '\r';
    edit.text = (before ? "<" : " <") + edit.text + (behind ? ">" : "> ");
    set_until = place.end();
  }
}

std::size_t map_field(Field& field, const IdLookup& lookup) {
  std::vector<Edit> edits;
  for (const Place& place : id_places(field.body)) {
    const std::string* known = lookup(place.of(field.body));
    if (known != nullptr && is_message_id(*known)) edits.push_back({place, *known});
  }
  if (edits.empty()) return 0;
  Field mapped{field.name, with_edits(field.body, edits)};
  if (has_long_line(mapped)) {
    set_apart(field.body, edits);
    mapped.body = with_edits(field.body, edits);
  }
  if (mapped.body.size() > field_limit) return 0;  // better without its thread than refused
  field = std::move(mapped);
  return edits.size();
}

// RFC 5322 3.2.3, of what is ASCII.
bool is_dot_atom(std::string_view text) {
  for (const std::string_view atom : base::split(text, '.')) {
    if (atom.empty() || !std::all_of(atom.begin(), atom.end(), is_atom_byte)) return false;
  }
  return true;
}

bool is_strict_id(std::string_view id) {
  const std::size_t at = id.find('@');
  return is_message_id(id) && at != std::string_view::npos && is_dot_atom(id.substr(0, at)) &&
         is_dot_atom(id.substr(at + 1));
}

}  // namespace

bool is_message_id(std::string_view id) {
  return !id.empty() && id.size() <= message_id_limit &&
         std::all_of(id.begin(), id.end(),
                     [](char c) { return c > ' ' && c < '\x7f' && c != '<' && c != '>'; });
}

std::optional<std::string> message_id_of(const Header& header) {
  const Field* field = header.find("Message-ID");
  if (field == nullptr) return std::nullopt;
  const std::vector<Place> places = id_places(field->body);
  if (places.empty()) return std::nullopt;
  return std::string(places.front().of(field->body));
}

std::optional<std::string> new_message_id(std::string_view final_reply, std::string_view ours) {
  std::string_view rest = final_reply.substr(0, reply_limit);
  for (;;) {
    const std::size_t open = rest.find('<');
    if (open == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(open + 1);
    const std::size_t end = rest.find_first_of("<>");
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view id = rest.substr(0, end);
    if (rest[end] == '>' && is_strict_id(id)) {
      if (id == ours) return std::nullopt;
      return std::string(id);
    }
    rest.remove_prefix(end);
  }
}

std::vector<std::string> referenced_ids(const Header& header) {
  std::vector<std::string> ids;
  for (const std::size_t i : reference_fields(header)) {
    const std::string& body = header.fields[i].body;
    for (const Place& place : id_places(body)) ids.emplace_back(place.of(body));
  }
  return ids;
}

std::size_t map_message_ids(Header& header, const IdLookup& lookup) {
  std::size_t replaced = 0;
  for (const std::size_t i : reference_fields(header)) {
    replaced += map_field(header.fields[i], lookup);
  }
  return replaced;
}

}  // namespace mail
