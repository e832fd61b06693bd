#include "verb/draft.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "account/config_file.h"

namespace verb {

namespace {

using account::Account;

const Account* account_in(const account::Configuration& configuration, const std::string& name) {
  for (const Account& account : configuration.accounts) {
    if (account.name == name) return &account;
  }
  return nullptr;
}

}  // namespace

base::Result<Draft> Draft::begin(const Place& place) {
  Draft draft(place);
  if (place.paths.main_file.empty()) {
    return base::failure(base::Fault::config, "your user has no home folder",
                         "name a configuration file: MAILBEARER_CONFIG=FILE");
  }
  draft.file_ = place.paths.main_file;
  base::Result<std::string> text = account::read_config_text(place.paths.main_file);
  if (!text && text.error().sys != ENOENT) return std::move(text).error();
  if (text) draft.text_ = std::move(*text);
  account::ConfigurationPaths paths = place.paths;
  paths.main_text = draft.text_;
  base::Result<account::Configuration> loaded = account::load_configuration(paths);
  if (!loaded) return std::move(loaded).error();
  draft.before_ = std::move(*loaded);
  return draft;
}

bool Draft::exists() const {
  return account_in(before_, name_) != nullptr;
}

void Draft::choose(const std::string& name) {
  name_ = name;
  const Account* account = account_in(before_, name);
  if (account != nullptr) file_ = account->where.substr(0, account->where.rfind(':'));
}

account::Change& Draft::change_of(const std::string& key) {
  for (account::Change& each : changes_) {
    if (each.key == key) return each;
  }
  return changes_.emplace_back(account::Change{key, std::nullopt});
}

void Draft::set(const std::string& key, const std::string& value) {
  change_of(key).value = value;
}

void Draft::unset(const std::string& key) {
  change_of(key).value.reset();
}

bool Draft::says(const std::string& key) const {
  return std::any_of(changes_.begin(), changes_.end(), [&](const account::Change& each) {
    return each.key == key && each.value.has_value();
  });
}

void Draft::make_default() {
  default_ = true;
}

std::vector<account::SectionEdit> Draft::edits() const {
  std::vector<account::SectionEdit> out;
  if (default_) out.push_back({"mailbearer", {{"default", name_}}});
  // Of two logins at once that found the same free name, the later one must not take it.
  const bool fresh = !exists() && !written_;
  if (!changes_.empty()) out.push_back({"account " + name_, changes_, false, fresh});
  return out;
}

base::Result<account::Configuration> Draft::configuration() const {
  account::ConfigurationPaths paths = place_->paths;
  if (file_ != paths.main_file && !changes_.empty()) {
    return base::failure(base::Fault::usage,
                         "account " + name_ + " stands in " + file_ + ", which login does not edit",
                         "change it there by hand, and run: mailbearer login " + name_);
  }
  base::Result<std::string> text = account::edit_text(text_, edits(), paths.main_file);
  if (!text) return std::move(text).error();
  paths.main_text = std::move(*text);
  return account::load_configuration(paths);
}

base::Result<Account> Draft::account() const {
  base::Result<account::Configuration> loaded = configuration();
  if (!loaded) return std::move(loaded).error();
  const Account* account = account_in(*loaded, name_);
  if (account != nullptr) return *account;
  return base::failure(base::Fault::config, "no account " + name_ + " in " + file_);
}

base::Done Draft::may_write() const {
  return account::may_edit_file(place_->paths.main_file, edits());
}

base::Result<bool> Draft::write() {
  base::Result<bool> written =
      account::edit_file(place_->paths.main_file, edits(), place_->paths.profile);
  written_ = written_ || written.ok();
  return written;
}

}  // namespace verb
