// config_file: one INI file as sections and keys with their line numbers. The only place that knows
// inih. Source: design section 3; inih 55 (ini.h).
// Forms: [section], `key = value` (also `key : value`), blanks in front are free, comments at the
// start of a line (; or #) or after a blank and a semicolon. A value goes to the end of its line.
// Limits: 1 MiB a file, 64 KiB a line, 49 octets a section or key name (what inih keeps).
// Errors: Fault::config naming file and line; a file that others may change names the file.
// Trusts: nothing; control bytes and bytes that are not UTF-8 are refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace account {

struct Entry {
  std::string key{};
  std::string value{};
  int line = 0;
};

struct Section {
  std::string name{};  // the text between the brackets, blanks joined: "account site"
  std::string file{};
  int line = 0;
  std::vector<Entry> entries{};
};

// "FILE:LINE"
std::string place(const std::string& file, int line);

// What is wanted of a file. The rest is passed over: neither read nor judged, its lines counted.
struct Selection {
  std::vector<std::string> first_words{};  // sections whose name begins with one of these: whole
  std::vector<std::string_view> keys{};    // of other sections these keys, if they hold one
};

// Sections in their order; a name that stands twice yields two sections. No selection: all of it.
base::Result<std::vector<Section>> read_config_file(const std::string& path);
base::Result<std::vector<Section>> parse_config_text(std::string_view text, const std::string& path,
                                                     const Selection* selection = nullptr);
base::Result<std::string> read_config_text(const std::string& path);

}  // namespace account
