// doctor: the way of a message, walked step by step, of one account or of all.
#include "base/crypto_library.h"
#include "base/process.h"
#include "doctor/walk.h"
#include "net/helper_program.h"
#include "report/exit_code.h"
#include "verb/call.h"
#include "verb/console.h"
#include "verb/doctor_json.h"
#include "verb/place.h"

namespace verb {

namespace {

std::string line_of(const doctor::Step& step) {
  std::string out = step.fault ? "  no  " : "  ok  ";
  std::string name = step.name;
  name.append(name.size() < 12 ? 12 - name.size() : 1, ' ');
  out += name;
  if (!step.fault) return out + step.found + "\n";
  out += step.fault->cause;
  if (!step.fault->said.empty()) out += " [server: \"" + step.fault->said + "\"]";
  if (!step.fault->cure.empty()) out += "\n      " + std::string(12, ' ') + step.fault->cure;
  return out + "\n";
}

}  // namespace

int doctor(const Call& call) {
  const Place place(call.command);
  for (const base::Error& fault : account::check_configuration(place.paths)) {
    if (fault.account.empty()) return complain(fault);
  }
  const base::Result<account::Configuration> loaded = account::load_configuration(place.paths);
  if (!loaded) return complain(loaded.error());
  base::Result<std::vector<account::Account>> accounts = std::vector<account::Account>{};
  if (call.operand(0).empty()) {
    accounts = loaded->accounts;
  } else {
    accounts = accounts_of(place, call.operand(0));
  }
  if (!accounts) return complain(accounts.error());
  base::start_crypto(base::Crypto::whole);
  net::HelperProgram helper(base::sibling_program("mailbearer-helper", MAILBEARER_LIBEXEC),
                            cli::environment_for_child(place.environment));
  const doctor::Bag bag{{place.runtime_dir(*loaded), place.keyrings()},
                        {[&helper] { return helper.open(); }}};
  int exit = 0;
  std::vector<std::pair<std::string, std::vector<doctor::Step>>> all;
  for (const account::Account& account : *accounts) {
    if (!call.command.json) say(account.name + "\n");
    all.emplace_back(account.name, std::vector<doctor::Step>{});
    doctor::walk(account, bag, [&](const doctor::Step& step) {
      if (!call.command.json) say(line_of(step));
      if (step.fault && exit == 0) exit = report::exit_code(step.fault->fault);
      all.back().second.push_back(step);
    });
  }
  if (call.command.json) {
    const int said = say(doctor_json(all));
    return exit != 0 ? exit : said;
  }
  return exit;
}

}  // namespace verb
