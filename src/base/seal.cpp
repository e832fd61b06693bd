#include "base/seal.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <memory>

#include "base/crypto_library.h"

namespace base {

namespace {

constexpr std::string_view magic = "MBS1";
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t overhead_bytes = magic.size() + nonce_bytes + tag_bytes;
// Credentials are short; this bound keeps every length within OpenSSL's int.
constexpr std::size_t limit_bytes = std::size_t{16} * 1024 * 1024;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

const unsigned char* in(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* out(char* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}
int length(std::string_view bytes) {
  return static_cast<int>(bytes.size());
}

Error refused() {
  return failure(Fault::bug, "the cryptographic library refused a call");
}

Error not_ours() {
  return failure(Fault::sign_in_needed, "sealed data is damaged, or was sealed with another key");
}

bool sizes_fit(const Secret& key, std::string_view bound_to, std::size_t bytes) {
  return start_crypto() && key.size() == seal_key_bytes && bound_to.size() <= limit_bytes &&
         bytes <= limit_bytes;
}

// Memory for plain text that is wiped however the function is left.
struct WipedBuffer {
  explicit WipedBuffer(std::size_t size) : text(size, '\0') {}
  ~WipedBuffer() { wipe(text); }
  WipedBuffer(const WipedBuffer&) = delete;
  WipedBuffer& operator=(const WipedBuffer&) = delete;
  std::string text;
};

}  // namespace

Result<std::string> seal(const Secret& key, std::string_view bound_to, const Secret& plain) {
  if (!sizes_fit(key, bound_to, plain.size())) return refused();
  std::string sealed(overhead_bytes + plain.size(), '\0');
  magic.copy(sealed.data(), magic.size());
  unsigned char* nonce = out(sealed.data() + magic.size());
  unsigned char* text = nonce + nonce_bytes;
  unsigned char* tag = text + plain.size();
  const Cipher context(EVP_CIPHER_CTX_new());
  int written = 0;
  int last = 0;
  const bool ok =
      context && RAND_bytes(nonce, nonce_bytes) == 1 &&
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, in(key.reveal()), nonce) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &last, in(bound_to), length(bound_to)) == 1 &&
      EVP_EncryptUpdate(context.get(), text, &written, in(plain.reveal()),
                        length(plain.reveal())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), text + written, &last) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, tag) == 1;
  if (!ok) return refused();
  return sealed;
}

Result<Secret> unseal(const Secret& key, std::string_view bound_to, std::string_view sealed) {
  if (sealed.size() < overhead_bytes || sealed.substr(0, magic.size()) != magic) return not_ours();
  if (!sizes_fit(key, bound_to, sealed.size())) return refused();
  const std::string_view nonce = sealed.substr(magic.size(), nonce_bytes);
  const std::string_view text =
      sealed.substr(magic.size() + nonce_bytes, sealed.size() - overhead_bytes);
  std::string tag(sealed.substr(sealed.size() - tag_bytes));
  WipedBuffer plain(text.size() + 1);  // never empty, so that data() is writable
  const Cipher context(EVP_CIPHER_CTX_new());
  int written = 0;
  int last = 0;
  if (!context ||
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, in(key.reveal()), in(nonce)) !=
          1 ||
      EVP_DecryptUpdate(context.get(), nullptr, &last, in(bound_to), length(bound_to)) != 1 ||
      EVP_DecryptUpdate(context.get(), out(plain.text.data()), &written, in(text), length(text)) !=
          1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) != 1) {
    return refused();
  }
  if (EVP_DecryptFinal_ex(context.get(), out(plain.text.data() + written), &last) != 1) {
    return not_ours();
  }
  return Secret(std::string_view(plain.text)
                    .substr(0, static_cast<std::size_t>(written) + static_cast<std::size_t>(last)));
}

std::string sha256(std::string_view bytes) {
  std::string digest(32, '\0');
  unsigned int size = 0;
  // Fails only when OpenSSL has no SHA-256, which no program of ours can go on without.
  if (!start_crypto() || EVP_Digest(bytes.data(), bytes.size(), out(digest.data()), &size,
                                    EVP_sha256(), nullptr) != 1) {
    std::abort();
  }
  return digest;
}

std::string sha256_hex(std::string_view bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : sha256(bytes)) {
    const auto byte = static_cast<unsigned char>(c);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

Result<Secret> random_secret(std::size_t count) {
  if (count > limit_bytes || !start_crypto()) return refused();
  WipedBuffer bytes(count);
  if (count > 0 && RAND_bytes(out(bytes.text.data()), static_cast<int>(count)) != 1) {
    return refused();
  }
  return Secret(bytes.text);
}

namespace {

// A whole number of 3-byte groups, so that pieces can be joined.
constexpr std::size_t piece_bytes = std::size_t{3} * 1024;

// The one encoder of this file: `take` gets the text in pieces.
template <typename Take>
void encode(std::string_view bytes, Take take) {
  std::array<unsigned char, piece_bytes / 3 * 4 + 1> text{};
  for (std::size_t at = 0; at < bytes.size(); at += piece_bytes) {
    const std::string_view piece = bytes.substr(at, piece_bytes);
    const int size = EVP_EncodeBlock(text.data(), in(piece), length(piece));
    take(std::string_view(reinterpret_cast<const char*>(text.data()),
                          static_cast<std::size_t>(size)));
  }
  explicit_bzero(text.data(), text.size());
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  encode(bytes, [&text](std::string_view piece) { text.append(piece); });
  return text;
}

Secret base64(const Secret& bytes) {
  Secret text;
  encode(bytes.reveal(), [&text](std::string_view piece) { text.append(piece); });
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  const auto wrong = [] { return failure(Fault::protocol, "not base64"); };
  if (text.size() % 4 != 0 || text.size() > INT_MAX) return wrong();
  if (text.empty()) return std::string();
  const std::size_t padding = text.size() - 1 - text.find_last_not_of('=');
  if (text.find_last_not_of('=') == std::string_view::npos || padding > 2) return wrong();
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(out(bytes.data()), in(text), length(text));
  if (size < 0 || static_cast<std::size_t>(size) < padding) return wrong();
  bytes.resize(static_cast<std::size_t>(size) - padding);
  // EVP_DecodeBlock forgives white space, padding in the middle and stray bits at the end: only
  // what encodes to the same text again is accepted.
  if (base64(bytes) != text) return wrong();
  return bytes;
}

std::string base64url(std::string_view bytes) {
  std::string text = base64(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

Result<std::string> from_base64url(std::string_view text) {
  if (text.find_first_of("+/=") != std::string_view::npos) {
    return failure(Fault::protocol, "not base64url");
  }
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '-', '+');
  std::replace(plain.begin(), plain.end(), '_', '/');
  plain.append((4 - plain.size() % 4) % 4, '=');
  return from_base64(plain);
}

}  // namespace base
