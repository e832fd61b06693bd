#include "account/configuration.h"
#include "verb/call.h"
#include "verb/console.h"
#include "verb/place.h"

namespace verb {

int config_check(const Call& call) {
  const Place place(call.command);
  const std::vector<base::Error> faults = account::check_configuration(place.paths);
  int exit = 0;
  for (const base::Error& fault : faults) {
    const int code = complain(fault);
    if (exit == 0) exit = code;
  }
  return exit != 0 ? exit : say(place.paths.main_file + ": fine\n");
}

int config_show(const Call& call) {
  const Place place(call.command);
  const base::Result<account::Configuration> loaded = account::load_configuration(place.paths);
  if (!loaded) return complain(loaded.error());
  return say(account::show_configuration(*loaded));
}

}  // namespace verb
