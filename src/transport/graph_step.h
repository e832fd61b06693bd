// graph_step: one step of an upload, from the agent's side: a request by mailbearer-helper
// (graph_call.h), tried again where that is safe. 401 gets one fresh token. What can be repeated is
// repeated after Retry-After, or a growing pause; what cannot, only when Graph said that it did not
// look at it (429). Source: facts/providers.md 3.5, 3.6. Limits: six tries; the deadline of the
// whole attempt; a signal that wants to end the program ends the waiting. Errors: those of the
// request; a status that is no success is no error here. Trusts: nothing that Graph says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "transport/deliver.h"
#include "transport/graph_verdict.h"

namespace transport {

struct GraphStep {
  enum class Again : std::uint8_t { never, if_refused, always };

  const char* name = "";                     // of graph_call.h
  std::string url{};                         // of Graph: a token goes with it
  const base::Secret* upload_url = nullptr;  // or this one, without a token
  std::vector<std::pair<const char*, std::string>> fields{};
  bool with_file = false;
  std::uint64_t bytes = 0;  // that leave, for the time it may take
  Again again = Again::always;
};

struct StepAnswer {
  GraphAnswer verdict{};
  std::string id{};
  base::Secret upload_url{};
  std::optional<std::uint64_t> next{};
};

class GraphSteps {
 public:
  // `file` is what the steps with_file send from.
  GraphSteps(const Delivery& delivery, const base::Scratch& file, base::Deadline attempt)
      : delivery_(delivery), file_(file), attempt_(attempt) {}

  base::Result<StepAnswer> make(const GraphStep& step);
  // False: there is not so much time left. 0: the pause after so many failures.
  bool wait(std::int64_t retry_after_s, int failures);
  // Time up, or a signal: nothing new is begun.
  base::Done may_go_on() const;
  // A step of cleaning up, for which there is time of its own, and which no signal cuts short.
  base::Result<StepAnswer> clean_up(const GraphStep& step, std::int64_t within_ms);

 private:
  base::Result<StepAnswer> with_token(const GraphStep& step);
  base::Result<StepAnswer> once(const GraphStep& step, base::Result<base::Secret> token);
  base::Result<net::Record> record_of(const GraphStep& step, base::Secret token);
  void show(const GraphStep& step, const net::Record& record) const;

  const Delivery& delivery_;
  const base::Scratch& file_;
  base::Deadline attempt_;
  bool heeds_signals_ = true;
  std::int64_t whole_s_ = 0;
};

}  // namespace transport
