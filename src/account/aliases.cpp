#include "account/aliases.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include "account/config_file.h"
#include "base/file.h"
#include "base/text.h"

namespace account {

namespace {

using base::Error;
using base::Fault;

constexpr std::size_t file_limit_bytes = 1024UL * 1024;
constexpr std::size_t step_limit = 1000;

// Where `sought` stands outside quotes, or npos.
std::size_t find_unquoted(std::string_view text, char sought) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == sought && !quoted) {
      return i;
    }
  }
  return std::string_view::npos;
}

std::string unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  std::string out;
  text = text.substr(1, text.size() - 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

std::vector<std::string> split_targets(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = find_unquoted(text, ',');
    const std::string_view piece = base::trim(text.substr(0, comma));
    if (!piece.empty()) out.emplace_back(piece);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return out;
}

// What the target would do other than name an address; empty: it is an address.
std::string forbidden_kind(const std::string& target) {
  const std::string plain = unquoted(target);
  if (plain[0] == '|') return "a program";
  if (plain[0] == '/') return "a file";
  if (base::starts_with_ignoring_case(plain, ":include:")) return "an included list";
  return {};
}

base::Result<mail::Mailbox> parse_target(const std::string& target) {
  base::Result<std::vector<mail::Address>> list = mail::parse_address_list(target);
  if (!list) return std::move(list).error();
  if (list->size() != 1) {
    return base::failure(Fault::bad_message, "is not one address");
  }
  return std::move(list->front().mailbox);
}

}  // namespace

base::Result<Aliases> Aliases::load(const std::string& path) {
  base::Result<base::Fd> file = base::open_trusted(path);
  if (!file) {
    if (file.error().sys == ENOENT || file.error().sys == ENOTDIR) return Aliases();
    return std::move(file).error();
  }
  base::Result<std::string> text = base::read_all(file->get(), file_limit_bytes, path);
  if (!text) return std::move(text).error();
  return parse(*text, path);
}

base::Result<Aliases> Aliases::parse(std::string_view text, const std::string& path) {
  Aliases aliases;
  aliases.path_ = path;
  std::string entry;
  int entry_line = 0;
  int line_number = 0;
  for (const std::string_view raw : base::split(text, '\n')) {
    ++line_number;
    const std::string_view line = base::trim(raw);
    if (line.empty() || line[0] == '#') continue;
    if (base::is_blank(raw[0]) && !entry.empty()) {
      entry.append(" ").append(line);
      continue;
    }
    base::Done added = aliases.add_entry(entry, entry_line);
    if (!added) return std::move(added).error();
    entry = line;
    entry_line = line_number;
  }
  base::Done added = aliases.add_entry(entry, entry_line);
  if (!added) return std::move(added).error();
  return aliases;
}

base::Done Aliases::add_entry(const std::string& entry, int line) {
  if (entry.empty()) return base::done();
  const std::size_t colon = find_unquoted(entry, ':');
  const std::string name =
      colon == std::string::npos
          ? std::string()
          : base::lower(unquoted(base::trim(std::string_view(entry).substr(0, colon))));
  if (name.empty() || base::has_control(name)) {
    return base::failure(Fault::config, place(path_, line) + ": not `name: address`");
  }
  rows_.try_emplace(name, Row{line, split_targets(std::string_view(entry).substr(colon + 1))});
  return base::done();
}

Error Aliases::fault(const Row& row, const std::string& cause, const std::string& cure) const {
  return base::failure(Fault::bad_recipient, place(path_, row.line) + ": " + cause, cure);
}

namespace {

// "\root" means root itself, aliases no more.
bool is_final(const std::string& target) {
  return target[0] == '\\';
}

}  // namespace

base::Result<mail::Mailbox> Aliases::read_target(const std::string& name, const Row& row,
                                                 const std::string& target) const {
  const std::string kind = forbidden_kind(target);
  if (!kind.empty()) {
    return fault(row, "alias of " + base::clean(name, 64) + " is " + kind + ", which is refused",
                 "put an address there");
  }
  base::Result<mail::Mailbox> mailbox = parse_target(is_final(target) ? target.substr(1) : target);
  if (mailbox.ok() && !mailbox->null()) return mailbox;
  return fault(row, "`" + base::clean(target, 80) + "` is no address", "mend the line");
}

// A work list instead of recursion: names still to be followed, and those already seen.
base::Result<std::optional<Aliases::Answer>> Aliases::resolve(
    const std::string& name, const std::function<bool(const mail::Mailbox&)>& is_local) const {
  const auto start = rows_.find(base::lower(name));
  if (start == rows_.end()) return std::optional<Answer>();
  Answer answer;
  std::set<std::string> seen = {start->first};
  std::vector<Rows::const_iterator> waiting = {start};
  std::size_t steps = 0;
  for (std::size_t next = 0; next < waiting.size(); ++next) {
    const auto& [own_name, row] = *waiting[next];
    for (const std::string& target : row.targets) {
      if (++steps > step_limit) return fault(row, "alias has over 1000 targets", {});
      base::Result<mail::Mailbox> mailbox = read_target(own_name, row, target);
      if (!mailbox) return std::move(mailbox).error();
      if (mailbox->qualified() && !is_local(*mailbox)) {
        answer.mailboxes.push_back(std::move(*mailbox));
        continue;
      }
      // "root: root, a@b" is the old way to say: there as well.
      const std::string local = base::lower(mailbox->local);
      const auto more = rows_.find(local);
      if (is_final(target) || local == own_name || more == rows_.end()) {
        answer.local.push_back(mailbox->local);
      } else if (seen.insert(local).second) {
        waiting.push_back(more);
      }
    }
  }
  if (answer.mailboxes.empty() && answer.local.empty()) {
    return fault(start->second, "alias " + base::clean(name, 64) + " leads to no address",
                 "put an address there");
  }
  return std::optional<Answer>(std::move(answer));
}

}  // namespace account
