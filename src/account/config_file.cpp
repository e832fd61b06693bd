#include "account/config_file.h"

#include <ini.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/text.h"

namespace account {

namespace {

using base::Error;
using base::Fault;

constexpr std::size_t file_limit_bytes = 1024UL * 1024;
constexpr std::size_t line_limit_bytes = 64UL * 1024;
constexpr std::size_t name_limit_bytes = 49;  // MAX_SECTION and MAX_NAME of inih, less the NUL
constexpr int ini_room_bytes = static_cast<int>(line_limit_bytes) + 3;

// inih tells of keys only, so an empty section would be lost. After each section line the reader
// slips in this key, which no file can hold: control bytes are refused.
constexpr const char* section_mark = "\x01";

// inih cuts a line to its buffer (200 octets as Debian builds it) and a longer value silently
// becomes two keys. Debian's build has these switches as variables; a build without them does not
// compile here, which is better than a cut value. Continuation lines are off: blanks in front of a
// key mean nothing to people.
void prepare_inih() {
  ini_use_stack = false;
  ini_initial_alloc = ini_room_bytes;
  ini_max_line = ini_room_bytes;
  ini_allow_realloc = false;
  ini_allow_multiline = false;
  ini_allow_inline_comments = true;
  ini_allow_no_value = false;
  ini_stop_on_first_error = true;
}

struct Head {
  std::string_view line{};
  int number = 0;
};

struct Parse {
  std::string_view rest;
  const std::string* path;
  const Selection* selection = nullptr;
  bool inside_selected = false;
  Head head{};              // of the section we are in, while nothing of it was wanted
  std::string_view kept{};  // the line that comes behind a head
  int kept_number = 0;
  int line = 0;
  bool mark_next = false;
  std::optional<Error> fault{};
  std::vector<Section> sections{};

  void fail(std::string cause, std::string cure = {}) {
    if (fault) return;
    fault =
        base::failure(Fault::config, place(*path, line) + ": " + std::move(cause), std::move(cure));
  }
};

// The next line without its end, or nothing.
std::optional<std::string_view> take_line(Parse& parse) {
  if (parse.rest.empty()) return std::nullopt;
  const std::size_t end = parse.rest.find('\n');
  std::string_view line = parse.rest.substr(0, end);
  parse.rest.remove_prefix(end == std::string_view::npos ? parse.rest.size() : end + 1);
  ++parse.line;
  return line;
}

bool is_comment(std::string_view line) {
  return line.empty() || line[0] == '#' || line[0] == ';';
}

bool begins_with_key(std::string_view line, std::string_view key) {
  if (line.substr(0, key.size()) != key) return false;
  const std::string_view behind = base::trim(line.substr(key.size()));
  return !behind.empty() && (behind[0] == '=' || behind[0] == ':');
}

// Whether the selection holds this line. The head of a section of which only keys are wanted is
// kept until one turns up.
bool selected(Parse& parse, std::string_view line) {
  const Selection& selection = *parse.selection;
  if (is_comment(line)) return false;
  if (line[0] == '[') {
    const std::string_view name = base::trim(line.substr(1, line.find(']') - 1));
    const std::string_view first = name.substr(0, name.find_first_of(" \t"));
    parse.inside_selected = std::find(selection.first_words.begin(), selection.first_words.end(),
                                      first) != selection.first_words.end();
    parse.head = {line, parse.line};
    return parse.inside_selected;
  }
  if (parse.inside_selected) return true;
  return std::any_of(selection.keys.begin(), selection.keys.end(),
                     [line](std::string_view key) { return begins_with_key(line, key); });
}

// Most lines are told by their first octet to be nothing that is wanted.
bool surely_unselected(const Parse& parse, std::string_view raw) {
  if (parse.selection == nullptr || parse.inside_selected || raw.empty()) return false;
  const char first = raw[0];
  if (base::is_blank(first) || first == '[') return false;
  const std::vector<std::string_view>& keys = parse.selection->keys;
  return std::none_of(keys.begin(), keys.end(),
                      [first](std::string_view key) { return key[0] == first; });
}

bool line_is_sound(Parse& parse, std::string_view line) {
  if (line.size() > line_limit_bytes) {
    parse.fail("line is longer than 64 KiB");
    return false;
  }
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (std::all_of(line.begin(), line.end(), printable)) return true;
  for (const char c : line) {
    if (base::is_control(c) && c != '\t') {
      parse.fail("control byte in the line");
      return false;
    }
  }
  if (!base::is_utf8(line)) parse.fail("line is not UTF-8");
  return !parse.fault;
}

// inih ignores what follows the bracket and cuts long names; neither may pass unseen.
void judge_section_line(Parse& parse, std::string_view line) {
  const std::size_t end = line.find(']');
  if (end == std::string_view::npos) return parse.fail("section has no closing bracket");
  if (end - 1 > name_limit_bytes) return parse.fail("section name is longer than 49 octets");
  const std::string_view behind = base::trim(line.substr(end + 1));
  if (!behind.empty() && behind[0] != ';' && behind[0] != '#') {
    return parse.fail("a section stands alone on its line");
  }
  parse.mark_next = true;
}

char* give(char* into, int room, std::string_view line) {
  if (room < 2 || line.size() + 2 > static_cast<std::size_t>(room)) return nullptr;
  line.copy(into, line.size());
  into[line.size()] = '\n';
  into[line.size() + 1] = '\0';
  return into;
}

// The next line that says something and is wanted; nothing at the end, or when it is not sound.
std::optional<std::string_view> next_line(Parse& parse) {
  if (const std::string_view kept = std::exchange(parse.kept, {}); !kept.empty()) {
    parse.line = parse.kept_number;
    return kept;
  }
  while (const std::optional<std::string_view> raw = take_line(parse)) {
    if (surely_unselected(parse, *raw)) continue;
    const std::string_view line = base::trim(*raw);
    if (parse.selection != nullptr && !selected(parse, line)) continue;
    if (!line_is_sound(parse, line)) return std::nullopt;
    if (is_comment(line)) continue;
    if (parse.selection == nullptr || parse.inside_selected || parse.head.line.empty()) return line;
    // The first wanted key of its section: the head goes first.
    parse.kept = line;
    parse.kept_number = parse.line;
    const Head head = std::exchange(parse.head, {});
    parse.line = head.number;
    if (!line_is_sound(parse, head.line)) return std::nullopt;
    return head.line;
  }
  return std::nullopt;
}

char* read_line(char* into, int room, void* stream) {
  Parse& parse = *static_cast<Parse*>(stream);
  if (parse.fault) return nullptr;
  if (std::exchange(parse.mark_next, false)) {
    return give(into, room, std::string(section_mark) + "=");
  }
  const std::optional<std::string_view> line = next_line(parse);
  if (!line) return nullptr;
  if ((*line)[0] == '[') judge_section_line(parse, *line);
  char* given = parse.fault ? nullptr : give(into, room, *line);
  if (!given) parse.fail("line is longer than this build of inih takes");
  return given;
}

std::string one_blank_between_words(std::string_view text) {
  std::string out;
  for (const std::string& word : base::words(text)) out += (out.empty() ? "" : " ") + word;
  return out;
}

int take_entry(void* user, const char* section, const char* name, const char* value) {
  Parse& parse = *static_cast<Parse*>(user);
  if (std::strcmp(name, section_mark) == 0) {
    parse.sections.push_back({one_blank_between_words(section), *parse.path, parse.line, {}});
    return 1;
  }
  if (parse.sections.empty()) {
    parse.fail("key `" + base::clean(name, 60) + "` stands before the first section",
               "put [mailbearer] or [account NAME] above it");
    return 0;
  }
  parse.sections.back().entries.push_back({name, value, parse.line});
  return 1;
}

}  // namespace

std::string place(const std::string& file, int line) {
  return file + ":" + std::to_string(line);
}

base::Result<std::vector<Section>> parse_config_text(std::string_view text, const std::string& path,
                                                     const Selection* selection) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  Parse parse{text, &path, selection};
  prepare_inih();
  const int answer = ini_parse_stream(read_line, &parse, take_entry, &parse);
  if (parse.fault) return *std::move(parse.fault);
  if (answer > 0) {
    parse.fail("neither a [section] nor `key = value`");
    return *std::move(parse.fault);
  }
  if (answer < 0) return base::failure(Fault::os, "no memory to read " + path);
  return std::move(parse.sections);
}

base::Result<std::string> read_config_text(const std::string& path) {
  base::Result<base::Fd> file = base::open_trusted(path);
  if (!file) return std::move(file).error();
  return base::read_all(file->get(), file_limit_bytes, path);
}

base::Result<std::vector<Section>> read_config_file(const std::string& path) {
  base::Result<std::string> text = read_config_text(path);
  if (!text) return std::move(text).error();
  return parse_config_text(*text, path);
}

}  // namespace account
