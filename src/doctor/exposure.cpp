#include "doctor/exposure.h"

#include <sys/stat.h>

#include "token/credential.h"

namespace doctor {

namespace {

constexpr const char* root_reads = "root reads all files and all memory";

Threat safe(std::string why) {
  return {Safety::safe, std::move(why)};
}
Threat depends(std::string why) {
  return {Safety::depends, std::move(why)};
}
Threat open(std::string why) {
  return {Safety::open, std::move(why)};
}

Exposure of_sealed_file(bool key_from_systemd) {
  Exposure out;
  if (key_from_systemd) {
    out.stolen = depends("the key is systemd's: safe when it was sealed with TPM2, else not");
    out.root = open("root may ask systemd for the key");
  } else {
    out.stolen = open("the key lies on the same disk, beside the folder");
    out.root = open(root_reads);
  }
  out.copy = safe("the folder alone is worth nothing without its key");
  out.other_user = safe("only its owner may read folder and key");
  out.same_user = open("any program of its owner may read folder and key");
  return out;
}

Exposure of_service() {
  Exposure out;
  out.stolen = depends("as good as the password of that keyring; one without password is open");
  out.copy = out.stolen;
  out.other_user = safe("the session's D-Bus is closed to others");
  out.same_user = open("while it is unlocked any program of the session may ask for it");
  out.root = open("while it is unlocked root may ask for it, too");
  return out;
}

Exposure of_program() {
  Exposure out;
  out.stolen = depends("as that program keeps it");
  out.copy = out.stolen;
  out.other_user = depends("as that program keeps it");
  out.same_user = open("any program of its owner may run it");
  out.root = open("root may become its owner and run it");
  return out;
}

}  // namespace

Exposure exposure_of_file(const std::string& path) {
  Exposure out;
  out.where = "file " + path + ", as it is";
  out.stolen = open("it is not encrypted by Mailbearer");
  out.copy = out.stolen;
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) {
    out.other_user = depends("it cannot be looked at now");
  } else if ((facts.st_mode & S_IROTH) != 0) {
    out.other_user = open("every user may read it; run: chmod o-r " + path);
  } else if ((facts.st_mode & S_IRGRP) != 0) {
    out.other_user = depends("its group may read it");
  } else {
    out.other_user = safe("only its owner may read it");
  }
  out.same_user = open("any program of its owner may read it");
  out.root = open(root_reads);
  return out;
}

const char* safety_word(Safety safety) {
  switch (safety) {
    case Safety::safe:
      return "safe";
    case Safety::depends:
      return "it depends";
    case Safety::open:
      break;
  }
  return "not safe";
}

Exposure exposure_of(const account::Account& account, token::Kind kind, const std::string& keyring,
                     bool key_from_systemd) {
  const token::FileKey file = token::file_key(account, kind);
  if (!file.path.empty()) return exposure_of_file(file.path);
  Exposure out;
  switch (account.keyring) {
    case account::Keyring::secret_service:
      out = of_service();
      break;
    case account::Keyring::command:
      out = of_program();
      break;
    case account::Keyring::unset:
    case account::Keyring::file:
      out = of_sealed_file(key_from_systemd);
      break;
  }
  out.where = keyring;
  return out;
}

}  // namespace doctor
