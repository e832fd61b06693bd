#include "token/paste.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace token {

namespace {

constexpr std::size_t text_limit_bytes = std::size_t{16} * 1024;
constexpr std::size_t shortest_code = 8;

base::Error wrong(const std::string& cause, const std::string& cure) {
  return base::failure(base::Fault::usage, cause, cure);
}

constexpr const char* whole_address =
    "copy the whole address of the last page, which begins with http://localhost, and paste it";

void drop_all(std::string& text, std::string_view what) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos;) {
    text.erase(at, what.size());
  }
}

// An address has no blanks, control bytes or quotes: terminals and chats put them in.
std::string unwrapped(std::string_view text) {
  std::string out(text);
  drop_all(out, "\x1b[200~");  // a terminal's marks around what is pasted
  drop_all(out, "\x1b[201~");
  std::erase_if(out, [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || c == '"' || c == '\'' ||
           c == '<' || c == '>' || c == '`';
  });
  // Copied from the source of a page.
  for (std::size_t at = 0; (at = out.find("&amp;", at)) != std::string::npos;) out.erase(at + 1, 4);
  return out;
}

bool could_be_code(const std::string& text) {
  return text.size() >= shortest_code && text.find("://") == std::string::npos &&
         text.find_first_of("=&?#") == std::string::npos && base::is_ascii(text);
}

bool asks_to_sign_in(const std::string& query) {
  return query.find("response_type=") != std::string::npos ||
         query.find("code_challenge=") != std::string::npos;
}

std::string query_of(const std::string& text) {
  const std::size_t mark = text.find('?');
  std::string query = mark == std::string::npos ? text : text.substr(mark + 1);
  return query.substr(0, query.find('#'));
}

}  // namespace

base::Result<RedirectAnswer> read_pasted(std::string_view text, std::string_view state) {
  if (text.size() > text_limit_bytes)
    return wrong("that is too long for an address", whole_address);
  const std::string address = unwrapped(text);
  if (address.empty()) return wrong("nothing was pasted", whole_address);
  // The code alone: the code verifier, which only we have, still ties it to this sign-in.
  std::string line = address;
  if (could_be_code(address)) {
    const bool encoded = address.find('%') != std::string::npos;
    line = "code=" + (encoded ? address : base::percent_encode(address)) +
           "&state=" + std::string(state);
  }
  const std::string query = query_of(line);
  if (asks_to_sign_in(query)) {
    return wrong("that is the address to open, not the one at which it ended", whole_address);
  }
  std::optional<Redirect> redirect = read_redirect(query);
  if (!redirect || !redirect->answers()) {
    return wrong("there is no code in what was pasted", whole_address);
  }
  if (redirect->state.empty()) {
    return wrong("what was pasted has no state=, so a part of it is missing", whole_address);
  }
  if (!same_secret_text(redirect->state, state)) {
    return wrong("that is the answer to another sign-in",
                 "open the address that is shown here, and paste where that one ends");
  }
  return std::move(redirect->answer);
}

}  // namespace token
