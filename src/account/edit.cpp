#include "account/edit.h"

#include <cstddef>
#include <cstdint>
#include <map>

#include "account/config_file.h"
#include "base/text.h"

namespace account {

namespace {

using base::Fault;

// One line of the file as it stands, its end with it, and what config_file would take it for.
struct Line {
  enum class Kind : std::uint8_t { other, head, entry };
  Kind kind = Kind::other;
  std::string text{};
  std::string name{};        // of the section, or of the key
  std::size_t value_at = 0;  // where the value begins in `text`
  std::size_t value_size = 0;
};

std::string one_blank_between_words(std::string_view text) {
  std::string out;
  for (const std::string& word : base::words(text)) out += (out.empty() ? "" : " ") + word;
  return out;
}

// inih: a semicolon behind a blank begins a comment; the blank may be the one before the value.
std::size_t end_of_value(std::string_view rest) {
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == ';' && base::is_blank(rest[i - 1])) return i;
  }
  return rest.size();
}

Line line_of(std::string_view raw) {
  Line line;
  line.text = raw;
  const std::string_view text = base::trim(raw);
  if (text.empty() || text[0] == '#' || text[0] == ';') return line;
  if (text[0] == '[') {
    line.kind = Line::Kind::head;
    line.name = one_blank_between_words(text.substr(1, text.find(']') - 1));
    return line;
  }
  const std::size_t sign = raw.find_first_of("=:");
  if (sign == std::string_view::npos) return line;
  line.kind = Line::Kind::entry;
  line.name = base::trim(raw.substr(0, sign));
  const std::string_view rest = raw.substr(sign + 1);
  const std::string_view before_comment = rest.substr(0, end_of_value(rest));
  const std::string_view value = base::trim(before_comment);
  const auto blanks = value.empty() ? 0 : static_cast<std::size_t>(value.data() - rest.data());
  line.value_at = sign + 1 + blanks;
  line.value_size = value.size();
  return line;
}

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> out;
  if (text.substr(0, 3) == "\xEF\xBB\xBF") {  // stays where it is, in a line without an end
    out.push_back({Line::Kind::other, std::string(text.substr(0, 3)), {}, 0, 0});
    text.remove_prefix(3);
  }
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t size = end == std::string_view::npos ? text.size() : end + 1;
    out.push_back(line_of(text.substr(0, size)));
    text.remove_prefix(size);
  }
  return out;
}

std::string value_in(const Line& line) {
  return line.text.substr(line.value_at, line.value_size);
}

// The file as lines, and how its own lines end.
class Text {
 public:
  explicit Text(std::string_view text)
      : lines_(lines_of(text)), end_(text.find("\r\n") != std::string_view::npos ? "\r\n" : "\n") {}

  void apply(const SectionEdit& edit) {
    if (edit.whole) return remove_section(edit.section);
    for (const Change& change : edit.changes) {
      if (!change.value) {
        remove(edit.section, change.key, 0);
      } else {
        set(edit.section, change.key, *change.value);
      }
    }
  }

  std::string text() const {
    std::string out;
    for (const Line& line : lines_) out += line.text;
    return out;
  }

 private:
  // The lines of a section's parts, its heads with them.
  std::vector<std::size_t> inside(const std::string& section) const {
    std::vector<std::size_t> out;
    bool in = false;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (lines_[i].kind == Line::Kind::head) in = lines_[i].name == section;
      if (in) out.push_back(i);
    }
    return out;
  }

  std::vector<std::size_t> entries(const std::string& section, const std::string& key) const {
    std::vector<std::size_t> out;
    for (const std::size_t i : inside(section)) {
      if (lines_[i].kind == Line::Kind::entry && lines_[i].name == key) out.push_back(i);
    }
    return out;
  }

  // The lines of a key, but for the first `keep` of them.
  void remove(const std::string& section, const std::string& key, std::size_t keep) {
    std::vector<std::size_t> at = entries(section, key);
    while (at.size() > keep) {
      lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(at.back()));
      at.pop_back();
    }
  }

  void set(const std::string& section, const std::string& key, const std::string& value) {
    const std::vector<std::size_t> at = entries(section, key);
    std::string before;
    for (const std::size_t i : at) before += (before.empty() ? "" : " ") + value_in(lines_[i]);
    if (!at.empty() && before == value) return;
    if (at.empty()) return add(section, key + " = " + value);
    remove(section, key, 1);
    Line& line = lines_[at.front()];
    // Where no value stood, a comment may follow at once.
    const std::string put = line.value_size == 0 ? " " + value + " " : value;
    line.text.replace(line.value_at, line.value_size, put);
    line = line_of(line.text);
  }

  // Behind the last key of the section's first part, indented like it.
  void add(const std::string& section, const std::string& text) {
    std::vector<std::size_t> lines = inside(section);
    if (lines.empty()) {
      append_head(section);
      lines = inside(section);
    }
    std::size_t last = lines.front();
    for (std::size_t i = last + 1; i < lines_.size() && lines_[i].kind != Line::Kind::head; ++i) {
      if (lines_[i].kind == Line::Kind::entry) last = i;
    }
    end_line(last);
    const std::string& before = lines_[last].text;
    const std::size_t blanks =
        lines_[last].kind == Line::Kind::entry ? before.find_first_not_of(" \t") : 0;
    lines_.insert(lines_.begin() + static_cast<std::ptrdiff_t>(last) + 1,
                  line_of(before.substr(0, blanks) + text + end_));
  }

  void append_head(const std::string& section) {
    if (!lines_.empty()) {
      end_line(lines_.size() - 1);
      if (!base::trim(lines_.back().text).empty()) lines_.push_back(line_of(end_));
    }
    lines_.push_back(line_of("[" + section + "]" + end_));
  }

  // The last line of a file may lack its end.
  void end_line(std::size_t i) {
    if (lines_[i].text.back() != '\n' && lines_[i].text != "\xEF\xBB\xBF") lines_[i].text += end_;
  }

  // From each head to its last key; comments behind it belong to what follows.
  void remove_section(const std::string& section) {
    for (std::size_t i = lines_.size(); i-- > 0;) {
      if (lines_[i].kind != Line::Kind::head || lines_[i].name != section) continue;
      std::size_t end = i + 1;
      for (std::size_t j = end; j < lines_.size() && lines_[j].kind != Line::Kind::head; ++j) {
        if (lines_[j].kind == Line::Kind::entry) end = j + 1;
      }
      if (end < lines_.size() && base::trim(lines_[end].text).empty()) ++end;
      lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(i),
                   lines_.begin() + static_cast<std::ptrdiff_t>(end));
    }
  }

  std::vector<Line> lines_;
  std::string end_;
};

// What a file says: section, key, values joined. Heads without keys are kept, too.
using Meaning = std::map<std::string, std::map<std::string, std::string>>;

Meaning meaning_of(const std::vector<Section>& sections) {
  Meaning out;
  for (const Section& section : sections) {
    std::map<std::string, std::string>& keys = out[section.name];
    for (const Entry& entry : section.entries) {
      const auto [at, is_new] = keys.emplace(entry.key, entry.value);
      if (!is_new) at->second += " " + entry.value;
    }
  }
  return out;
}

void expect(Meaning& meaning, const SectionEdit& edit) {
  if (edit.whole) {
    meaning.erase(edit.section);
    return;
  }
  for (const Change& change : edit.changes) {
    if (change.value) {
      meaning[edit.section][change.key] = *change.value;
    } else if (const auto at = meaning.find(edit.section); at != meaning.end()) {
      at->second.erase(change.key);
    }
  }
}

bool is_section_name(const std::string& name) {
  return !name.empty() && !base::has_control(name) && name.find(']') == std::string::npos &&
         one_blank_between_words(name) == name;
}

base::Done judge(const SectionEdit& edit, const Meaning& standing) {
  if (!is_section_name(edit.section)) {
    return base::failure(Fault::usage,
                         "`" + base::clean(edit.section, 60) + "` is no name of a section");
  }
  if (edit.fresh && standing.find(edit.section) != standing.end()) {
    return base::failure(Fault::config, edit.section + " was added by somebody else meanwhile",
                         "run it again, and add --name NAME for an account of its own");
  }
  for (const Change& change : edit.changes) {
    if (!change.value || (!change.value->empty() && !base::has_control(*change.value) &&
                          base::trim(*change.value) == *change.value)) {
      continue;
    }
    return base::failure(
        Fault::usage,
        "`" + change.key + "` cannot be written as `" + base::clean(*change.value, 80) + "`",
        "give a value on one line, without blanks around it");
  }
  return base::done();
}

}  // namespace

base::Result<std::string> edit_text(std::string_view text, const std::vector<SectionEdit>& edits,
                                    const std::string& path) {
  const base::Result<std::vector<Section>> before = parse_config_text(text, path);
  if (!before) return before.error();
  Meaning wanted = meaning_of(*before);
  Text lines(text);
  for (const SectionEdit& edit : edits) {
    base::Done sound = judge(edit, wanted);
    if (!sound) return std::move(sound).error();
    lines.apply(edit);
    expect(wanted, edit);
  }
  std::string out = lines.text();
  const base::Result<std::vector<Section>> after = parse_config_text(out, path);
  if (after && meaning_of(*after) == wanted) return out;
  return base::failure(Fault::config, path + " cannot be changed without changing what it says",
                       after ? "edit it by hand" : after.error().cause);
}

}  // namespace account
