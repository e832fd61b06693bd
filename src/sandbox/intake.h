// intake: one message on its way in: the header section is held for judging (at most 256 KiB and a
// bit), everything else goes straight to the Maildir. Owns: the unfinished file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sandbox/data_filter.h"
#include "sandbox/mailbox_store.h"

namespace sandbox {

class Intake {
 public:
  // message_id is the service's name for the message; `replace`: it becomes its Message-ID, else it
  // is used only for a message that has none.
  Intake(StoredMessage file, std::int64_t size_limit, std::string message_id, bool replace)
      : file_(std::move(file)), limit_(size_limit), id_(std::move(message_id)), replace_(replace) {}

  // Bytes of the message, dots already removed. Past the size limit they are counted only.
  base::Done take(std::string_view bytes);
  // No more will come: a message that is all header gets written.
  base::Done finish();
  base::Done keep() { return file_.keep(); }

  const std::string& header() const { return header_; }
  std::uint64_t size_bytes() const { return size_; }
  bool too_big() const { return size_ > static_cast<std::uint64_t>(limit_); }
  const std::string& message_id() const { return id_; }
  const std::string& file_name() const { return file_.name(); }
  LineFaults lines{};  // set by who reads the data

 private:
  base::Done end_header(std::size_t length);
  StoredMessage file_;
  std::int64_t limit_;
  std::string id_;
  bool replace_;
  std::string header_;
  bool header_ended_ = false;
  std::uint64_t size_ = 0;
};

}  // namespace sandbox
