#include "sandbox/intake.h"

#include <utility>

#include "sandbox/message_check.h"

namespace sandbox {

base::Done Intake::take(std::string_view bytes) {
  size_ += bytes.size();
  if (too_big()) return base::done();
  if (header_ended_) return file_.write(bytes);
  const std::size_t searched = header_.size() < 3 ? 0 : header_.size() - 3;
  header_ += bytes;
  if (header_.rfind("\r\n", 0) == 0) return end_header(0);
  const std::size_t end = header_.find("\r\n\r\n", searched);
  if (end != std::string::npos) return end_header(end + 2);
  // An endless header is written as it stands; its length alone refuses it.
  if (header_.size() > header_limit_bytes + 64 * 1024) return end_header(header_.size());
  return base::done();
}

base::Done Intake::end_header(std::size_t length) {
  header_ended_ = true;
  const std::string rest = header_.substr(length);
  header_.resize(length);
  if (!replace_) {
    if (std::string own = own_message_id(header_); !own.empty()) id_ = std::move(own);
  }
  base::Done written = file_.write(replace_ ? replace_message_id(header_, id_) : header_);
  return written ? file_.write(rest) : written;
}

base::Done Intake::finish() {
  return header_ended_ ? base::done() : end_header(header_.size());
}

}  // namespace sandbox
