// control_json: what the queue knows as JSON, and as the traditional list of mailq. The only JSON
// of the agent (nlohmann-json, seen in control_json.cpp). Control characters are cleaned before
// they are shown.
#pragma once

#include <string>

#include "agent/surroundings.h"
#include "queue/run.h"

namespace agent {

std::string row_json(const queue::Row& row);
std::string status_json(const queue::Status& status, const InForce& in_force);
std::string released_json(const queue::Released& released);
std::string flag_json(const char* name, bool value);

// Postfix's layout, which monitoring reads.
std::string mailq_head();
std::string mailq_row(const queue::Row& row);
std::string mailq_foot(std::uint64_t bytes, std::size_t messages);

}  // namespace agent
