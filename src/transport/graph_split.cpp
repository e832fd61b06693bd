#include "transport/graph_split.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace transport {

namespace {

constexpr std::int64_t part_limit = 1000;

base::Done attach(net::Record& record, const base::Scratch& file) {
  base::Result<int> lent = file.lend_fd();
  if (!lent) return std::move(lent).error();
  record.attached.reset(fcntl(*lent, F_DUPFD_CLOEXEC, 3));
  if (record.attached.open()) return base::done();
  return base::failure_errno(base::Fault::os, "cannot duplicate a descriptor", errno);
}

std::uint64_t number(const net::Record& record, const std::string& name) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(record.number(name, 0), 0));
}

std::string field(const char* name, std::size_t part) {
  return name + ("." + std::to_string(part));
}

}  // namespace

base::Result<net::Record> split_request(const base::Scratch& message,
                                        const mail::SplitLimits& limits) {
  net::Record request("split");
  request.put("rest_bytes", std::to_string(limits.rest_bytes));
  request.put("part_bytes", std::to_string(limits.part_bytes));
  request.put("parts", std::to_string(limits.parts));
  base::Done attached = attach(request, message);
  if (!attached) return std::move(attached).error();
  return request;
}

mail::SplitLimits split_limits(const net::Record& request) {
  return {number(request, "rest_bytes"), number(request, "part_bytes"),
          static_cast<std::size_t>(number(request, "parts"))};
}

base::Result<net::Record> split_answer(const mail::Split& split) {
  net::Record answer("answer");
  answer.put("rest", std::to_string(split.rest_size));
  answer.put("count", std::to_string(split.parts.size()));
  for (std::size_t i = 0; i < split.parts.size(); ++i) {
    const mail::SplitPart& part = split.parts[i];
    answer.put(field("name", i), part.name);
    answer.put(field("type", i), part.type);
    answer.put(field("id", i), part.content_id);
    answer.put(field("inline", i), part.is_inline ? "1" : "0");
    answer.put(field("offset", i), std::to_string(part.offset));
    answer.put(field("size", i), std::to_string(part.size));
  }
  base::Done attached = attach(answer, split.bytes);
  if (!attached) return std::move(attached).error();
  return answer;
}

base::Result<mail::Split> split_of(net::Record answer) {
  if (net::has_error(answer)) return net::get_error(answer);
  const auto misfit = [] {
    return base::failure(base::Fault::protocol, "mailbearer-helper's parts do not fit the message");
  };
  const std::int64_t count = answer.number("count", -1);
  if (!answer.attached.open() || count < 0 || count > part_limit) return misfit();
  base::Result<base::Scratch> bytes = base::Scratch::adopt(std::move(answer.attached));
  if (!bytes) return std::move(bytes).error();
  mail::Split split;
  split.bytes = std::move(*bytes);
  split.rest_size = number(answer, "rest");
  if (split.rest_size > split.bytes.size_bytes()) return misfit();
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const auto text = [&](const char* name) { return std::string(answer.get(field(name, i))); };
    mail::SplitPart part{text("name"),
                         text("type"),
                         text("id"),
                         answer.get(field("inline", i)) == "1",
                         number(answer, field("offset", i)),
                         number(answer, field("size", i))};
    const std::uint64_t all = split.bytes.size_bytes();
    if (part.offset > all || part.size > all - part.offset) return misfit();
    split.parts.push_back(std::move(part));
  }
  return split;
}

}  // namespace transport
