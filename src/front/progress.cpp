#include "front/progress.h"

#include <unistd.h>

#include <algorithm>
#include <string>

#include "base/trace.h"

namespace front {

namespace {

constexpr std::uint64_t large_bytes = 1'000'000;

void put(const std::string& text) {
  (void)!write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

bool Progress::wanted(std::uint64_t message_bytes) {
  return message_bytes > large_bytes && isatty(STDERR_FILENO) == 1;
}

Progress::~Progress() {
  if (shown_ > 0) put("\r" + std::string(shown_, ' ') + "\r");
}

void Progress::show(std::string_view line) {
  if (!line.starts_with(base::progress_mark)) return;
  std::string text = "sendmail: " + std::string(line.substr(base::progress_mark.size()));
  const std::size_t length = text.size();
  if (length < shown_) text.append(shown_ - length, ' ');
  put("\r" + text);
  shown_ = std::max(length, shown_);
}

}  // namespace front
