// edit: writes settings into sections of a configuration file and leaves every other byte as it is:
// comments, order, blanks, line ends. Source: design section 3; the forms of account/config_file.
// A value that is in force already is not written again, so a second run writes nothing. What comes
// out is read again before it is believed: it must say what was asked, and nothing else
// differently. Errors: Fault::config for a file that cannot be read as INI, is not ours, or is a
// link to nothing; Fault::usage for a value that no line can hold; Fault::cannot_create, Fault::io.
// After an error the old file stands. Trusts: a file that only root or we may write
// (base::open_trusted).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "account/configuration.h"
#include "base/result.h"

namespace account {

struct Change {
  std::string key{};
  std::optional<std::string> value{};  // nothing: the key goes, with its lines
};

// The changes of one section, named as between the brackets: "mailbearer", "account work". A
// section that is not there is added at the end (unless it would be empty).
struct SectionEdit {
  std::string section{};
  std::vector<Change> changes{};
  bool whole = false;  // the section goes, with all its lines
  bool fresh = false;  // the section is new: one that stands there by now is somebody else's
};

// The text after the edits; pure. `path` is for sentences only.
base::Result<std::string> edit_text(std::string_view text, const std::vector<SectionEdit>& edits,
                                    const std::string& path);

// The same for a file; true: it was written. One process edits at a time. A missing file is made,
// with its folders: 0644 in folders of 0755 for the host, 0600 in folders of 0700 for a person. One
// that is there keeps its mode, owner and group; of a symbolic link the target is edited.
base::Result<bool> edit_file(const std::string& path, const std::vector<SectionEdit>& edits,
                             Profile profile);

// Whether edit_file would do it now, as far as can be told while nothing is made or changed.
base::Done may_edit_file(const std::string& path, const std::vector<SectionEdit>& edits);

}  // namespace account
