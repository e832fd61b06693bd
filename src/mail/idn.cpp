#include "mail/idn.h"

#include <dlfcn.h>
#include <idn2.h>

#include <memory>
#include <optional>

#include "base/text.h"

namespace mail {
namespace {

// libidn2 and the tables of libunistring behind it (1.7 MB) are loaded with the first name that is
// not ASCII: nearly no message has one, and each would pay for it (docs/decisions/0011).
struct Idn2 {
  decltype(&idn2_lookup_u8) lookup;
  decltype(&idn2_strerror) text_of;
  decltype(&idn2_free) free;
};

// Nothing when the library is not installed. It stays loaded.
std::optional<Idn2> load_idn2() {
  void* library = dlopen("libidn2.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return std::nullopt;
  const Idn2 found{
      reinterpret_cast<decltype(Idn2::lookup)>(dlsym(library, "idn2_lookup_u8")),
      reinterpret_cast<decltype(Idn2::text_of)>(dlsym(library, "idn2_strerror")),
      reinterpret_cast<decltype(Idn2::free)>(dlsym(library, "idn2_free")),
  };
  if (found.lookup == nullptr || found.text_of == nullptr || found.free == nullptr) {
    return std::nullopt;
  }
  return found;
}

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
  static const std::optional<Idn2> idn2 = load_idn2();
  if (!idn2) {
    return base::failure(base::Fault::os,
                         "cannot encode the domain name " + base::clean(domain, 80) +
                             " (libidn2.so.0 cannot be loaded)",
                         "install libidn2 (Debian: libidn2-0)");
  }
  std::uint8_t* found = nullptr;
  // UTS 46 without transitional mappings: what registries and browsers use; "faß" stays "faß".
  const int code = idn2->lookup(reinterpret_cast<const std::uint8_t*>(domain.c_str()), &found,
                                IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<void, decltype(Idn2::free)> owned(found, idn2->free);
  if (code != IDN2_OK) return unfit(domain, idn2->text_of(code));
  std::string labels(static_cast<const char*>(owned.get()));
  // A compatibility mapping may yield what no name holds, such as a slash or a blank.
  for (const char c : labels) {
    const bool fit =
        base::is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
    if (!fit) return unfit(domain, "it maps to a byte that no name holds");
  }
  return labels;
}

}  // namespace mail
