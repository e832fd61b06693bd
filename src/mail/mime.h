// mime: what 7-bit transports and headers ask of 8-bit text.
// Source: RFC 2045, RFC 2047, design section 4. encode_header and label_8bit_body need no library;
// splitting and re-encoding parts is GMime's, in mime_reencode.cpp, which only the helper links.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "mail/message.h"

namespace mail {

// Raw 8-bit text in unstructured fields, phrases and comments becomes encoded words (UTF-8 when it
// is valid, else taken for windows-1252); parameters of Content-Type and Content-Disposition take
// the form of RFC 2231. Of an address only the domain changes, to A-labels, where its local part is
// ASCII. Fields that are ASCII keep their bytes.
void encode_header(Header& header);
// One phrase or text as RFC 2047 words, or as it is when ASCII.
std::string encode_words(std::string_view text);

// MIME-Version, Content-Type, Content-Transfer-Encoding for an 8-bit UTF-8 body that has no MIME
// header; a Content-Type without MIME-Version (Debian's anacron) gets the others.
void label_8bit_body(Message& message);

// Folds header lines over 998 octets at blanks; a line without any is Fault::bad_message.
base::Done fold_long_fields(Header& header);

// Whether the body must be re-encoded for a server: 8-bit without 8BITMIME, a line over 998 octets,
// or a NUL.
bool needs_reencoding(const Message& message, bool server_takes_8bit);

// Re-encodes the parts that need it (quoted-printable for text, base64 else) and nothing else.
// Signed or encrypted parts that would change: Fault::bad_message with the reason. Done by the
// helper with GMime.
using Reencode =
    std::function<base::Result<base::Scratch>(const base::Scratch& whole, bool seven_bit)>;
base::Result<base::Scratch> reencode_with_gmime(const base::Scratch& whole, bool seven_bit);

}  // namespace mail
