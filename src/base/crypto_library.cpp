#include "base/crypto_library.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <array>
#include <mutex>
#include <span>
#include <string_view>

namespace base {

namespace {

using std::string_view;

// By operation, the beginnings of the names that are kept. An operation that is not named here
// keeps all it has but the unwanted: what a newer OpenSSL adds to TLS comes as key exchange or
// signature.
struct Kept {
  int operation;
  std::span<const string_view> names;
};
constexpr string_view digests[] = {"SHA2-256:", "SHA2-384:", "SHA2-512:", "SHA1:"};
constexpr string_view ciphers[] = {
    "AES-256-GCM:", "AES-128-GCM:", "AES-256-CBC:", "AES-128-CBC:", "ChaCha20-Poly1305"};
constexpr string_view macs[] = {"HMAC"};
constexpr string_view kdfs[] = {"HKDF", "TLS13-KDF", "TLS1-PRF"};
constexpr string_view random_sources[] = {"HASH-DRBG", "SEED-SRC"};
constexpr Kept kept[] = {
    {OSSL_OP_DIGEST, digests}, {OSSL_OP_CIPHER, ciphers},      {OSSL_OP_MAC, macs},
    {OSSL_OP_KDF, kdfs},       {OSSL_OP_RAND, random_sources}, {OSSL_OP_ENCODER, {}},
    {OSSL_OP_STORE, {}},
};
constexpr string_view unwanted[] = {"DSA", "DHX", "SM2", "CMAC", "SIPHASH", "POLY1305", "SCRYPT"};

constexpr std::size_t most_operations = 32;
constexpr std::size_t most_rows = 64;

// One process, one narrow provider: OpenSSL asks by plain functions.
struct Narrow {
  OSSL_PROVIDER* whole = nullptr;
  struct Rows {
    std::once_flag made{};                         // a token is got on a thread of its own
    std::array<OSSL_ALGORITHM, most_rows> rows{};  // ends with an empty one
  };
  std::array<Rows, most_operations> operations{};
};
Narrow narrow;

bool begins_with_one_of(string_view name, std::span<const string_view> beginnings) {
  for (const string_view beginning : beginnings) {
    if (name.starts_with(beginning)) return true;
  }
  return false;
}

bool wanted_row(int operation, const OSSL_ALGORITHM& row) {
  const string_view name = row.algorithm_names;
  for (const Kept& one : kept) {
    if (one.operation == operation) return begins_with_one_of(name, one.names);
  }
  if (begins_with_one_of(name, unwanted)) return false;
  // Of all the forms a key may have, certificates hold this one.
  const string_view properties = row.property_definition != nullptr ? row.property_definition : "";
  return operation != OSSL_OP_DECODER ||
         (properties.find("input=der") != string_view::npos &&
          properties.find("structure=SubjectPublicKeyInfo") != string_view::npos);
}

const OSSL_ALGORITHM* query(void* /*provider*/, int operation, int* no_cache) {
  *no_cache = 0;
  if (operation < 0 || static_cast<std::size_t>(operation) >= most_operations) return nullptr;
  Narrow::Rows& out = narrow.operations[static_cast<std::size_t>(operation)];
  std::call_once(out.made, [&out, operation] {
    int ignored = 0;
    const OSSL_ALGORITHM* all = OSSL_PROVIDER_query_operation(narrow.whole, operation, &ignored);
    std::size_t count = 0;
    for (; all != nullptr && all->algorithm_names != nullptr && count + 1 < most_rows; ++all) {
      if (wanted_row(operation, *all)) out.rows[count++] = *all;
    }
  });
  return out.rows.data();
}

int capabilities(void* /*provider*/, const char* name, OSSL_CALLBACK* callback, void* argument) {
  return OSSL_PROVIDER_get_capabilities(narrow.whole, name, callback, argument);
}

void teardown(void* /*provider*/) {}

template <typename Function>
OSSL_DISPATCH entry(int id, Function* function) {
  return {id, reinterpret_cast<void (*)()>(function)};
}

int init(const OSSL_CORE_HANDLE* /*core*/, const OSSL_DISPATCH* /*offered*/,
         const OSSL_DISPATCH** ours, void** context) {
  static const std::array<OSSL_DISPATCH, 4> table = {
      entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
      entry(OSSL_FUNC_PROVIDER_GET_CAPABILITIES, capabilities),
      entry(OSSL_FUNC_PROVIDER_TEARDOWN, teardown), OSSL_DISPATCH{0, nullptr}};
  *ours = table.data();
  *context = OSSL_PROVIDER_get0_provider_ctx(narrow.whole);
  return 1;
}

// The default provider in a context of its own, and before it one that shows a part of it. An
// explicit load keeps OpenSSL from loading the default provider into the main context by itself.
bool make_narrow() {
  OSSL_LIB_CTX* behind = OSSL_LIB_CTX_new();
  if (behind == nullptr) return false;
  narrow.whole = OSSL_PROVIDER_load(behind, "default");
  if (narrow.whole == nullptr) return false;
  // The usual generator would have every cipher made behind.
  for (OSSL_LIB_CTX* context : {static_cast<OSSL_LIB_CTX*>(nullptr), behind}) {
    if (RAND_set_DRBG_type(context, "HASH-DRBG", nullptr, nullptr, "SHA256") != 1) return false;
  }
  return OSSL_PROVIDER_add_builtin(nullptr, "mailbearer", init) == 1 &&
         OSSL_PROVIDER_load(nullptr, "mailbearer") != nullptr;
}

bool start(Crypto wanted) {
  // The tables of the old interfaces stay empty but for what verifying a certificate looks up
  // there.
  if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |
                              OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS |
                              OPENSSL_INIT_NO_ATEXIT,
                          nullptr) != 1) {
    return false;
  }
  for (const EVP_MD* digest :
       {EVP_sha1(), EVP_sha224(), EVP_sha256(), EVP_sha384(), EVP_sha512()}) {
    if (EVP_add_digest(digest) != 1) return false;
  }
  if (wanted == Crypto::narrow && !make_narrow()) {
    return OSSL_PROVIDER_load(nullptr, "default") != nullptr;
  }
  return true;
}

}  // namespace

bool start_crypto(Crypto wanted) {
  static const bool started = start(wanted);
  return started;
}

}  // namespace base
