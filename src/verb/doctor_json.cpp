#include "verb/doctor_json.h"

#include <nlohmann/json.hpp>

#include "report/exit_code.h"

namespace verb {

using nlohmann::ordered_json;

std::string doctor_json(
    const std::vector<std::pair<std::string, std::vector<doctor::Step>>>& accounts) {
  ordered_json out = ordered_json::array();
  for (const auto& [name, steps] : accounts) {
    ordered_json one;
    one["account"] = name;
    one["steps"] = ordered_json::array();
    for (const doctor::Step& step : steps) {
      ordered_json each;
      each["step"] = step.name;
      each["ok"] = !step.fault.has_value();
      if (!step.fault) each["found"] = step.found;
      if (step.fault) {
        each["cause"] = step.fault->cause;
        each["cure"] = step.fault->cure;
        each["server"] = step.fault->said;
        each["exit"] = report::exit_code(step.fault->fault);
      }
      one["steps"].push_back(each);
    }
    out.push_back(one);
  }
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace verb
