// mailbox_store: DIR/Maildir, a file a message: a few X- lines with the envelope, then the bytes as
// they came. Source: the maildir layout (tmp, new, cur); design section 8. Owns: an unfinished
// file, which goes away unless it is kept. Memory: none beyond the piece being written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace sandbox {

struct EnvelopeFacts {
  std::string from{};
  std::vector<std::string> to{};
  std::string parameters{};                  // of MAIL
  std::vector<std::string> to_parameters{};  // of each RCPT, or empty
  std::string user{};                        // who signed in
};

// The lines that stand before the message, each with CRLF.
std::string envelope_lines(const EnvelopeFacts& envelope);

class StoredMessage {
 public:
  static base::Result<StoredMessage> start(const std::string& maildir);
  StoredMessage(StoredMessage&&) = default;
  StoredMessage& operator=(StoredMessage&&) = delete;
  ~StoredMessage();

  base::Done write(std::string_view bytes);
  base::Done keep();  // moves it to new/
  const std::string& name() const { return name_; }

 private:
  StoredMessage(base::Fd file, std::string maildir, std::string name)
      : file_(std::move(file)), maildir_(std::move(maildir)), name_(std::move(name)) {}
  base::Fd file_;
  std::string maildir_;
  std::string name_;
};

base::Done make_maildir(const std::string& maildir);

}  // namespace sandbox
