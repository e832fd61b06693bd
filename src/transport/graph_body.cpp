#include "transport/graph_body.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "base/seal.h"

namespace transport {

namespace {

// Divisible by three, so that only the last piece is padded.
constexpr std::size_t piece_bytes = std::size_t{3} * 8 * 1024;

class FileBody {
 public:
  FileBody(const base::Scratch& file, Stretch stretch, bool in_base64, std::string before,
           std::string behind)
      : file_(file),
        offset_(stretch.offset),
        left_(stretch.size),
        in_base64_(in_base64),
        ready_(std::move(before)),
        behind_(std::move(behind)) {}

  base::Result<std::size_t> read(char* into, std::size_t room) {
    while (given_ == ready_.size() && (left_ > 0 || !behind_.empty())) {
      base::Done more = next_piece();
      if (!more) return std::move(more).error();
    }
    const std::size_t count = std::min(room, ready_.size() - given_);
    std::memcpy(into, ready_.data() + given_, count);
    given_ += count;
    return count;
  }

 private:
  base::Done next_piece() {
    given_ = 0;
    if (left_ == 0) {
      ready_ = std::exchange(behind_, {});
      return base::done();
    }
    std::array<char, piece_bytes> raw{};
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left_, raw.size()));
    std::size_t filled = 0;
    while (filled < wanted) {
      base::Result<std::size_t> got =
          file_.read_at(offset_ + filled, raw.data() + filled, wanted - filled);
      if (!got) return std::move(got).error();
      if (*got == 0) return base::failure(base::Fault::io, "a temporary file ended early");
      filled += *got;
    }
    offset_ += filled;
    left_ -= filled;
    const std::string_view bytes(raw.data(), filled);
    ready_ = in_base64_ ? base::base64(bytes) : std::string(bytes);
    return base::done();
  }

  const base::Scratch& file_;
  std::uint64_t offset_;
  std::uint64_t left_;
  bool in_base64_;
  std::string ready_;
  std::string behind_;
  std::size_t given_ = 0;
};

void send(net::HttpRequest& request, const std::shared_ptr<FileBody>& body, std::uint64_t bytes) {
  request.streamed_bytes = bytes;
  request.streamed = [body](char* into, std::size_t room) { return body->read(into, room); };
}

}  // namespace

void send_as_it_is(net::HttpRequest& request, const base::Scratch& file, Stretch stretch) {
  send(request, std::make_shared<FileBody>(file, stretch, false, "", ""), stretch.size);
}

void send_as_base64(net::HttpRequest& request, const base::Scratch& file, Stretch stretch,
                    std::string before, std::string behind) {
  const std::uint64_t bytes = before.size() + (stretch.size + 2) / 3 * 4 + behind.size();
  send(request,
       std::make_shared<FileBody>(file, stretch, true, std::move(before), std::move(behind)),
       bytes);
}

}  // namespace transport
