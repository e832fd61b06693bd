// agent_answer: what the standing agent says of its queue, read from its JSON lines
// (nlohmann-json, seen in agent_answer.cpp only). Errors: Fault::protocol. Trusts: nothing; texts
// were cleaned by the agent and are cleaned again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace verb {

struct QueueRecipient {
  std::string address{};
  std::string state{};
  std::string reply{};
};
struct QueueRow {
  std::string id{};
  std::string account{};
  std::int64_t uid = 0;
  std::int64_t at_s = 0;
  std::int64_t bytes = 0;
  std::string sender{};
  std::vector<QueueRecipient> recipients{};
  std::int64_t attempts = 0;
  bool active = false;
  std::string hold{};
  std::string why{};
  std::int64_t next_in_s = -1;
};
base::Result<QueueRow> read_row(std::string_view json);

struct AccountState {
  std::string name{};
  std::int64_t messages = 0;
  std::int64_t oldest_s = 0;
  bool held = false;
  std::int64_t held_s = 0;
  std::int64_t paused_s = 0;
  std::string why{};
};
struct AgentStatus {
  std::int64_t uid = -1;  // whose process the agent is
  std::int64_t messages = 0;
  std::int64_t bytes = 0;
  std::int64_t held = 0;
  std::int64_t unknown = 0;
  std::int64_t oldest_s = 0;
  bool unwritable = false;
  bool no_accounts = false;
  std::string configuration{};  // why the files are not in force; empty: they are
  std::vector<AccountState> broken{};
  std::vector<AccountState> accounts{};
};
base::Result<AgentStatus> read_status(std::string_view json);

struct Count {
  std::int64_t messages = 0;
  std::int64_t oldest_s = 0;
};
base::Result<Count> read_count(std::string_view json);
base::Result<bool> read_flag(std::string_view json, const char* name);

// "3 min", "2 h", "5 days".
std::string age_text(std::int64_t seconds);
// "512", "1.2k", "3.4M".
std::string size_text(std::int64_t bytes);

}  // namespace verb
