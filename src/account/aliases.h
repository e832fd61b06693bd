// aliases: local names to addresses, by /etc/aliases. Source: aliases(5) of Postfix and sendmail:
// `name: target, target`, comments at line start, lines that begin with a blank continue, names
// without regard to case, quoted names and targets. Of a name that stands twice the first counts.
// Limits: 1 MiB a file, 1000 names and targets a look-up; a name is followed once, so circles end.
// Errors: Fault::bad_recipient for a program, file or :include: (refused), a circle, an ill-formed
// target; Fault::config for a file that others may change. A missing file: no aliases.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mail/address.h"

namespace account {

class Aliases {
 public:
  static base::Result<Aliases> load(const std::string& path);
  static base::Result<Aliases> parse(std::string_view text, const std::string& path);

  struct Answer {
    std::vector<mail::Mailbox> mailboxes{};  // qualified and elsewhere
    std::vector<std::string> local{};        // local names at which the file ends
  };
  // Nothing: the file does not hold the name. `is_local` says of a domain that it is this host's.
  base::Result<std::optional<Answer>> resolve(
      const std::string& name, const std::function<bool(const mail::Mailbox&)>& is_local) const;

 private:
  struct Row {
    int line = 0;
    std::vector<std::string> targets{};
  };
  using Rows = std::map<std::string, Row>;
  base::Done add_entry(const std::string& entry, int line);
  base::Result<mail::Mailbox> read_target(const std::string& name, const Row& row,
                                          const std::string& target) const;
  base::Error fault(const Row& row, const std::string& cause, const std::string& cure) const;

  std::string path_{};
  Rows rows_{};  // by name, lower case
};

}  // namespace account
