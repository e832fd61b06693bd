#include "account/configuration.h"
#include "base/process.h"
#include "cli/environment.h"
#include "doctor/foresee.h"
#include "token/keyring_secret_service.h"
#include "verb/call.h"
#include "verb/console.h"
#include "verb/place.h"

namespace verb {

namespace {

doctor::ForeseePlaces foresee_places(const Place& place) {
  doctor::ForeseePlaces out;
  out.helper = base::sibling_program("mailbearer-helper", MAILBEARER_LIBEXEC);
  out.session_bus = token::session_bus(place.person.uid);
  out.sockets = {"/run/mailbearer/submit.sock"};
  if (place.paths.profile == account::Profile::person) {
    out.sockets = {cli::runtime_dir(place.person.uid) + "/submit.sock"};
  }
  if (!place.environment.socket.empty()) out.sockets = {place.environment.socket};
  return out;
}

// What may be otherwise tomorrow is a warning, and no fault of the file.
int tell_foreseen(const Place& place) {
  const base::Result<account::Configuration> loaded = account::load_configuration(place.paths);
  if (!loaded) return complain(loaded.error());
  int exit = 0;
  for (base::Error& found : doctor::foresee(*loaded, foresee_places(place))) {
    const bool warning = found.fault == base::Fault::unavailable;
    if (warning) found.cause = "warning: " + found.cause;
    const int code = complain(found);
    if (exit == 0 && !warning) exit = code;
  }
  return exit;
}

}  // namespace

int config_check(const Call& call) {
  const Place place(call.command);
  const std::vector<base::Error> faults = account::check_configuration(place.paths);
  int exit = 0;
  for (const base::Error& fault : faults) {
    const int code = complain(fault);
    if (exit == 0) exit = code;
  }
  if (exit == 0) exit = tell_foreseen(place);
  return exit != 0 ? exit : say(place.paths.main_file + ": fine\n");
}

int config_show(const Call& call) {
  const Place place(call.command);
  const base::Result<account::Configuration> loaded = account::load_configuration(place.paths);
  if (!loaded) return complain(loaded.error());
  return say(account::show_configuration(*loaded));
}

}  // namespace verb
