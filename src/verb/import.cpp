// import: the accounts of another mail program as ours: printed, or with --apply written behind
// what the configuration holds. Accounts that are there already are never touched.
#include "account/import_msmtp.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "verb/call.h"
#include "verb/console.h"
#include "verb/place.h"

namespace verb {

namespace {

using account::Imported;
using base::Fault;

constexpr std::size_t limit = std::size_t{1} << 20U;

std::string default_file(const Place& place) {
  if (place.paths.profile == account::Profile::system) return "/etc/msmtprc";
  return place.person.home + "/.msmtprc";
}

base::Result<std::string> read_file(const std::string& path) {
  const base::Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    base::Error error =
        base::failure_errno(Fault::usage, "cannot read " + base::clean(path, 200), errno);
    error.cure = "name the file: mailbearer import msmtp FILE";
    return error;
  }
  return base::read_all(file.get(), limit, path);
}

std::string commented(const std::vector<std::string>& lines, const char* before) {
  std::string out;
  for (const std::string& each : lines) out += before + each + "\n";
  return out;
}

std::string section_text(const Imported& imported) {
  std::string out = "\n" + commented(imported.notes, "; ") + commented(imported.next, "; next: ");
  out += "[" + imported.section.section + "]\n";
  for (const account::Change& change : imported.section.changes) {
    out += change.key + " = " + change.value.value_or("") + "\n";
  }
  return out;
}

// An account that is there already is not touched, nor is a key of [mailbearer].
base::Done leave_what_is_there(const Place& place, std::vector<Imported>& imported) {
  base::Result<std::vector<account::Section>> present =
      account::read_config_file(place.paths.main_file);
  if (!present) return base::done();  // none yet; edit_file judges one that is faulty
  for (Imported& each : imported) {
    for (const account::Section& section : *present) {
      if (section.name != each.section.section) continue;
      if (section.name == "mailbearer") {
        std::erase_if(each.section.changes, [&](const account::Change& change) {
          return std::any_of(section.entries.begin(), section.entries.end(),
                             [&](const account::Entry& entry) { return entry.key == change.key; });
        });
        continue;
      }
      return base::failure(
          Fault::config,
          section.name + " is in " + account::place(section.file, section.line) + " already",
          "take it out of one of the two files");
    }
  }
  return base::done();
}

int write_all_of(const Place& place, std::vector<Imported> imported) {
  base::Done fitting = leave_what_is_there(place, imported);
  if (!fitting) return complain(fitting.error());
  std::vector<account::SectionEdit> edits;
  std::string told;
  for (const Imported& each : imported) {
    edits.push_back(each.section);
    if (each.notes.empty() && each.next.empty()) continue;
    told += "\n[" + each.section.section + "]\n" + commented(each.notes, "  ") +
            commented(each.next, "  next: ");
  }
  const base::Result<bool> written =
      account::edit_file(place.paths.main_file, edits, place.paths.profile);
  if (!written) return complain(written.error());
  return say("written to " + place.paths.main_file + "\n" + told);
}

}  // namespace

int import_from(const Call& call) {
  if (call.operand(0) != "msmtp") {
    return complain(base::failure(Fault::usage,
                                  "cannot import from " + base::clean(call.operand(0), 40),
                                  "usage: mailbearer import msmtp [FILE]"));
  }
  const Place place(call.command);
  const std::string path = call.operand(1).empty() ? default_file(place) : call.operand(1);
  const base::Result<std::string> text = read_file(path);
  if (!text) return complain(text.error());
  const base::Result<std::vector<account::MsmtpAccount>> accounts =
      account::parse_msmtprc(*text, path);
  if (!accounts) return complain(accounts.error());
  const base::Result<account::Providers> providers =
      account::Providers::load(place.paths.providers_file, place.paths.site_providers_file);
  if (!providers) return complain(providers.error());
  std::vector<Imported> imported = account::import_msmtp(*accounts, *providers, place.person.home);
  // Nothing for all accounts: no empty section.
  if (imported[0].section.changes.empty() && imported[0].notes.empty()) {
    imported.erase(imported.begin());
  }
  if (imported.empty()) {
    return complain(base::failure(Fault::usage, "no account is in " + path, "name another file"));
  }
  if (call.command.has("--apply")) return write_all_of(place, std::move(imported));
  std::string out = "; made of " + base::clean(path, 200) + " by mailbearer import msmtp\n";
  for (const Imported& each : imported) out += section_text(each);
  return say(out);
}

}  // namespace verb
