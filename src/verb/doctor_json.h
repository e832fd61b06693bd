// doctor_json: what the doctor found, as JSON. No secret is in it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "doctor/walk.h"

namespace verb {

std::string doctor_json(
    const std::vector<std::pair<std::string, std::vector<doctor::Step>>>& accounts);

}  // namespace verb
