// dots: the content behind DATA: where it ends, and its leading dots. Source: RFC 5321 4.5.2;
// interface facts 3.12. Who ends commands with CRLF ends the data with CRLF "." CRLF and with
// nothing else, so that no other spelling of it smuggles commands; who ends them with LF ends the
// data with LF "." LF.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace submit {

class Dots {
 public:
  enum class Ends : std::uint8_t { crlf, lf };
  explicit Dots(Ends ends) : ends_(ends) {}

  // Gives the content to `take`, in order; answers how many bytes belong to it and its end.
  std::size_t feed(std::string_view bytes, const std::function<void(std::string_view)>& take);
  bool ended() const { return ended_; }

 private:
  enum class Held : std::uint8_t { nothing, dot, dot_cr };  // at the start of a line
  bool at_start(char c, const std::function<void(std::string_view)>& take);

  Ends ends_;
  Held held_ = Held::nothing;
  bool line_start_ = true;
  bool last_was_cr_ = false;
  bool ended_ = false;
};

}  // namespace submit
