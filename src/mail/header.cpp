#include "mail/header.h"

#include <algorithm>

#include "base/text.h"

namespace mail {

namespace {

// A value of our own for one field: what could begin another line becomes a blank; folds stay.
std::string one_field(std::string_view value) {
  std::string out = " ";
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool fold =
        value.substr(i, 2) == "\r\n" && i + 2 < value.size() && base::is_blank(value[i + 2]);
    if (fold) {
      out += "\r\n";
      ++i;
    } else {
      out += base::is_control(value[i]) && value[i] != '\t' ? ' ' : value[i];
    }
  }
  return out;
}

}  // namespace

bool is_named(const Field& field, std::string_view name) {
  return base::same_ignoring_case(field.name, name);
}

const Field* Header::find(std::string_view name) const {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [name](const Field& field) { return is_named(field, name); });
  return found == fields.end() ? nullptr : &*found;
}

Field* Header::find(std::string_view name) {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [name](const Field& field) { return is_named(field, name); });
  return found == fields.end() ? nullptr : &*found;
}

std::size_t Header::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      fields.begin(), fields.end(), [name](const Field& field) { return is_named(field, name); }));
}

void Header::remove(std::string_view name) {
  std::erase_if(fields, [name](const Field& field) { return is_named(field, name); });
}

void Header::append(std::string_view name, std::string_view value) {
  fields.push_back(Field{std::string(name), one_field(value)});
}

void Header::prepend(std::string_view name, std::string_view value) {
  fields.insert(fields.begin(), Field{std::string(name), one_field(value)});
}

std::string Header::text() const {
  std::string out;
  for (const Field& field : fields) {
    out += field.name;
    out += ':';
    out += field.body;
    out += "\r\n";
  }
  return out;
}

std::string unfold(std::string_view body) {
  std::string out;
  for (std::size_t i = 0; i < body.size();) {
    if (body[i] != '\r' && body[i] != '\n') {
      out += body[i++];
      continue;
    }
    while (!out.empty() && base::is_blank(out.back())) out.pop_back();
    while (i < body.size() && (base::is_blank(body[i]) || body[i] == '\r' || body[i] == '\n')) ++i;
    if (!out.empty()) out += ' ';
  }
  return std::string(base::trim(out));
}

}  // namespace mail
