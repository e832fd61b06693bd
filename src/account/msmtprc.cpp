#include "account/msmtprc.h"

#include <algorithm>

#include "account/config_file.h"
#include "base/text.h"

namespace account {

namespace {

using base::Fault;

base::Error fault(const std::string& path, int line, const std::string& cause) {
  return base::failure(Fault::config, place(path, line) + ": " + cause, "see msmtp(1)");
}

struct Command {
  std::string name{};
  std::string value{};
};

Command command_of(std::string_view line) {
  const std::size_t end = line.find_first_of(" \t");
  Command out{std::string(line.substr(0, end)), {}};
  if (end == std::string_view::npos) return out;
  std::string_view value = base::trim(line.substr(end));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  out.value = value;
  return out;
}

struct Reader {
  const std::string& path;
  std::vector<MsmtpAccount> accounts{};
  MsmtpAccount defaults{};
  bool in_account = false;

  MsmtpAccount& current() { return in_account ? accounts.back() : defaults; }

  base::Done inherit(MsmtpAccount& account, std::string_view list, int line) {
    for (const std::string_view each : base::split(list, ',')) {
      const std::string name(base::trim(each));
      const auto found = std::find_if(accounts.begin(), accounts.end(),
                                      [&](const MsmtpAccount& one) { return one.name == name; });
      if (found == accounts.end()) {
        return fault(path, line, "no account " + base::clean(name, 60) + " stands above");
      }
      for (const auto& [command, setting] : found->settings) account.settings[command] = setting;
      account.based_on.push_back(name);
    }
    return base::done();
  }

  base::Done begin_account(const std::string& words, int line) {
    const std::size_t colon = words.find(':');
    MsmtpAccount account = defaults;
    account.name = base::trim(std::string_view(words).substr(0, colon));
    account.line = line;
    if (account.name.empty()) return fault(path, line, "account without a name");
    for (const MsmtpAccount& one : accounts) {
      if (one.name == account.name) {
        return fault(path, line, "account " + base::clean(account.name, 60) + " stands twice");
      }
    }
    if (colon != std::string::npos) {
      base::Done inherited = inherit(account, std::string_view(words).substr(colon + 1), line);
      if (!inherited) return inherited;
    }
    accounts.push_back(std::move(account));
    in_account = true;
    return base::done();
  }

  base::Done take(std::string_view line, int number) {
    const Command command = command_of(line);
    if (command.name == "account") return begin_account(command.value, number);
    if (command.name == "defaults") {
      in_account = false;
      return base::done();
    }
    current().settings[command.name] = {command.value, number};
    current().says_nothing = false;
    return base::done();
  }
};

}  // namespace

base::Result<std::vector<MsmtpAccount>> parse_msmtprc(std::string_view text,
                                                      const std::string& path) {
  Reader reader{path};
  int number = 0;
  for (const std::string_view raw : base::split(text, '\n')) {
    ++number;
    const std::string_view line = base::trim(raw);
    if (line.empty() || line.front() == '#') continue;
    for (const char c : line) {
      if (base::is_control(c) && c != '\t') return fault(path, number, "a control byte");
    }
    if (!base::is_utf8(line)) return fault(path, number, "bytes that are not UTF-8");
    base::Done taken = reader.take(line, number);
    if (!taken) return std::move(taken).error();
    // What defaults say is not what the account says.
    if (!reader.in_account) reader.defaults.says_nothing = true;
  }
  return std::move(reader.accounts);
}

}  // namespace account
