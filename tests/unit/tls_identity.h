// Keys and certificates for tests, made when the test runs.
#pragma once

#include <dirent.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"

namespace tls_identity {

struct Identity {
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  Identity() = default;
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;
  Identity(Identity&& other) noexcept
      : key(std::exchange(other.key, nullptr)),
        certificate(std::exchange(other.certificate, nullptr)) {}
  ~Identity() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
};

struct Wish {
  std::string name = "mail.example";
  std::string alternatives = "DNS:mail.example";
  long from_s = -3600;
  long to_s = 3600;
  bool authority = false;
  unsigned bits = 2048;
  const EVP_MD* digest = EVP_sha256();
};

inline void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  REQUIRE(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Signed by `issuer`, or by itself.
inline Identity make(const Wish& wish, const Identity* issuer) {
  static long serial = 1;
  Identity out;
  out.key = EVP_RSA_gen(wish.bits);
  out.certificate = X509_new();
  X509* one = out.certificate;
  X509_set_version(one, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(one), serial++);
  X509_gmtime_adj(X509_getm_notBefore(one), wish.from_s);
  X509_gmtime_adj(X509_getm_notAfter(one), wish.to_s);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(one), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1, 0);
  X509* signer = issuer != nullptr ? issuer->certificate : one;
  X509_set_issuer_name(one, X509_get_subject_name(signer));
  X509_set_pubkey(one, out.key);
  extend(one, signer, NID_basic_constraints, wish.authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (!wish.alternatives.empty()) {
    extend(one, signer, NID_subject_alt_name, wish.alternatives);
  }
  X509_sign(one, issuer != nullptr ? issuer->key : out.key, wish.digest);
  return out;
}

inline const Identity& authority() {
  static const Identity ca = [] {
    Wish wish;
    wish.name = "Test Authority";
    wish.alternatives = "";
    wish.authority = true;
    return make(wish, nullptr);
  }();
  return ca;
}

struct Folder {
  Folder() {
    std::string form = "/tmp/tls-test-XXXXXX";
    REQUIRE(mkdtemp(form.data()) != nullptr);
    path = form;
  }
  ~Folder() {
    for (const std::string& file : files) unlink(file.c_str());
    for (const std::string& name : listed()) unlink((path + "/" + name).c_str());
    rmdir(path.c_str());
  }
  std::string put(const std::string& name, const Identity* what, bool with_key = false) {
    const std::string file = path + "/" + name;
    FILE* out = fopen(file.c_str(), "w");
    if (what != nullptr) PEM_write_X509(out, what->certificate);
    if (with_key) PEM_write_PrivateKey(out, what->key, nullptr, nullptr, 0, nullptr, nullptr);
    fclose(out);
    chmod(file.c_str(), 0600);
    files.push_back(file);
    return file;
  }
  std::vector<std::string> listed() const {
    std::vector<std::string> out;
    DIR* folder = opendir(path.c_str());
    while (const dirent* entry = folder != nullptr ? readdir(folder) : nullptr) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") out.push_back(name);
    }
    if (folder != nullptr) closedir(folder);
    return out;
  }
  std::string path;
  std::vector<std::string> files;
};

}  // namespace tls_identity
