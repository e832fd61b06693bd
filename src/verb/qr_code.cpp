#include "verb/qr_code.h"

#include <unistd.h>

#include "base/text.h"
#include "verb/run_program.h"

namespace verb {

namespace {

constexpr const char* program = "/usr/bin/qrencode";

// Half blocks, blanks and line ends are all that it may put on the terminal.
bool is_sound(const std::string& picture) {
  std::string rest = picture;
  for (const char* piece : {"\u2588", "\u2580", "\u2584", " ", "\n"}) {
    std::size_t at = 0;
    const std::string what = piece;
    while ((at = rest.find(what, at)) != std::string::npos) rest.erase(at, what.size());
  }
  return rest.empty();
}

}  // namespace

std::string qr_code(const std::string& text) {
  if (text.empty() || access(program, X_OK) != 0) return {};
  const base::Result<Ended> ended =
      run_program({program, "-t", "UTF8", "-m", "2"}, {}, text, base::Deadline::after_ms(2000));
  if (!ended || ended->code != 0 || !is_sound(ended->out)) return {};
  return ended->out;
}

}  // namespace verb
