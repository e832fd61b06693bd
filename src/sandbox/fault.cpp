#include "sandbox/fault.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace sandbox {

namespace {

constexpr std::int64_t forever = INT64_MAX;
constexpr std::size_t remembered_addresses = 10'000;
constexpr std::size_t waiting_limit = 1'000;

struct ActionName {
  std::string_view name;
  Fault::Action action;
};
constexpr std::array actions = {
    ActionName{"reply", Fault::Action::reply},     ActionName{"close", Fault::Action::close},
    ActionName{"reset", Fault::Action::reset},     ActionName{"hang", Fault::Action::hang},
    ActionName{"garbage", Fault::Action::garbage}, ActionName{"slow", Fault::Action::slow},
    ActionName{"flood", Fault::Action::flood},
};

// Takes `suffix` and what follows it off the end of the item.
bool take_suffix(std::string_view& item, std::string_view mark, std::string_view& value) {
  const std::size_t at = item.find(mark);
  if (at == std::string_view::npos) return false;
  value = item.substr(at + mark.size());
  item = item.substr(0, at);
  return true;
}

bool is_status(std::string_view text) {
  const std::vector<std::string_view> parts = base::split(text, '.');
  std::int64_t number = 0;
  return parts.size() == 3 && base::parse_number(parts[0], 2, 5, number) &&
         base::parse_number(parts[1], 0, 999, number) &&
         base::parse_number(parts[2], 0, 999, number);
}

bool parse_code(std::string_view text, Fault& fault) {
  std::int64_t code = 0;
  if (!base::parse_number(text.substr(0, 3), 200, 599, code)) return false;
  fault.code = static_cast<int>(code);
  if (text.size() == 3) return true;
  fault.status = text.size() > 4 ? text.substr(4) : "";
  return text[3] == '-' && is_status(fault.status);
}

bool parse_item(std::string_view item, Fault& fault) {
  std::string_view value;
  fault.stage = "rcpt";
  fault.times = forever;
  if (take_suffix(item, "-times-", value) &&
      !base::parse_number(value, 1, 1'000'000, fault.times)) {
    return false;
  }
  if (take_suffix(item, "-at-", value)) {
    constexpr std::array<std::string_view, 6> stages = {"rcpt", "data", "mid-data",
                                                        "end",  "quit", "graph"};
    if (std::find(stages.begin(), stages.end(), value) == stages.end()) return false;
    fault.stage = value;
  } else if (take_suffix(item, "-after-dot", value)) {
    if (!value.empty()) return false;
    fault.stage = "end";
    fault.keep = true;
  } else if (take_suffix(item, "-after-graph", value)) {
    if (!value.empty()) return false;
    fault.stage = "graph";
    fault.keep = true;
  }
  if (parse_action(item, fault.action)) return fault.action != Fault::Action::reply;
  return parse_code(item, fault);
}

}  // namespace

bool parse_action(std::string_view word, Fault::Action& action) {
  const auto found = std::find_if(actions.begin(), actions.end(),
                                  [&](const ActionName& one) { return one.name == word; });
  if (found == actions.end()) return false;
  action = found->action;
  return true;
}

bool is_smtp_stage(std::string_view stage) {
  constexpr std::array<std::string_view, 12> stages = {"banner",   "ehlo", "starttls", "tls",
                                                       "auth",     "mail", "rcpt",     "data",
                                                       "mid-data", "end",  "quit",     "rset"};
  return std::find(stages.begin(), stages.end(), stage) != stages.end();
}

bool is_graph_stage(std::string_view stage) {
  constexpr std::array<std::string_view, 8> stages = {
      "graph.request", "graph.send",  "graph.draft",  "graph.attachment",
      "graph.session", "graph.slice", "graph.delete", "graph.read"};
  return std::find(stages.begin(), stages.end(), stage) != stages.end();
}

base::Result<std::vector<Fault>> recipient_faults(std::string_view address) {
  std::vector<Fault> faults;
  const std::string_view local = address.substr(0, address.rfind('@'));
  if (!base::starts_with_ignoring_case(local, "fault+")) return faults;
  const std::string lowered = base::lower(local.substr(6));
  for (const std::string_view item : base::split(lowered, '+')) {
    Fault fault;
    if (!parse_item(item, fault)) {
      return base::failure(base::Fault::usage, "unknown fault " + base::clean(item, 80));
    }
    faults.push_back(std::move(fault));
  }
  return faults;
}

std::string fault_reply(const Fault& fault, const std::string& what) {
  if (!fault.reply.empty()) return fault.reply;
  std::string status = fault.status;
  if (status.empty()) {
    const std::string family = std::to_string(fault.code / 100);
    status = (fault.code / 100 == 3 ? "5" : family) + ".0.0";
  }
  return std::to_string(fault.code) + " " + status + " " + what +
         (fault.code >= 500 ? " refused (sandbox fault)" : " try again (sandbox fault)");
}

void FaultBoard::set(Fault fault) {
  const std::lock_guard lock(mutex_);
  std::deque<Fault>& queue = waiting_[fault.stage];
  if (queue.size() < waiting_limit) queue.push_back(std::move(fault));
}

std::optional<Fault> FaultBoard::take(const std::string& stage) {
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.find(stage);
  if (found == waiting_.end() || found->second.empty()) return std::nullopt;
  if (found->second.front().skip > 0) {
    --found->second.front().skip;
    return std::nullopt;
  }
  Fault fault = found->second.front();
  if (--found->second.front().times <= 0) found->second.pop_front();
  return fault;
}

bool FaultBoard::strikes(const std::string& address, const Fault& fault) {
  if (fault.times == forever) return true;
  const std::lock_guard lock(mutex_);
  if (struck_.size() > remembered_addresses) struck_.clear();
  return ++struck_[base::lower(address) + "\n" + fault.stage] <= fault.times;
}

void FaultBoard::clear() {
  const std::lock_guard lock(mutex_);
  waiting_.clear();
  struck_.clear();
}

}  // namespace sandbox
