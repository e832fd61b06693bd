#include "mail/idn.h"

#include <idn2.h>

#include <memory>

#include "base/text.h"

namespace mail {
namespace {

struct Idn2Free {
  void operator()(std::uint8_t* text) const { idn2_free(text); }
};

base::Error unfit(const std::string& domain, const std::string& why) {
  return base::failure(base::Fault::bad_message,
                       "bad domain name " + base::clean(domain, 80) + " (" + why + ")",
                       "correct the address");
}

}  // namespace

base::Result<std::string> to_a_labels(const std::string& domain) {
  if (domain.empty() || domain.size() > 1024) return unfit(domain, "its length");
  if (base::has_control(domain) || domain.find(' ') != std::string::npos)
    return unfit(domain, "a control byte or a blank");
  if (base::is_ascii(domain)) return base::lower(domain);
  if (!base::is_utf8(domain)) return unfit(domain, "not UTF-8");
  std::uint8_t* found = nullptr;
  // UTS 46 without transitional mappings: what registries and browsers use; "faß" stays "faß".
  const int code = idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(domain.c_str()), &found,
                                  IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<std::uint8_t, Idn2Free> owned(found);
  if (code != IDN2_OK) return unfit(domain, idn2_strerror(code));
  std::string labels(reinterpret_cast<const char*>(owned.get()));
  // A compatibility mapping may yield what no name holds, such as a slash or a blank.
  for (const char c : labels) {
    const bool fit =
        base::is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
    if (!fit) return unfit(domain, "it maps to a byte that no name holds");
  }
  return labels;
}

}  // namespace mail
