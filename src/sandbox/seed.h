// seed: who and what the simulated tenant knows at start: users, applications, rights.
// Built in, or read from a JSON file (--seed) of the same shape as the "tenant", "users" and "apps"
// of man/mailbearer-sandbox.1. Errors: Fault::config naming the file.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace sandbox {

struct User {
  std::string name{};                  // sign-in name, which is the mailbox address
  std::vector<std::string> send_as{};  // further addresses, or *@domain
  bool smtp_auth = true;
  bool challenge = false;  // a refused token gets the 334 with JSON first, as Google does
};

struct App {
  std::string client_id{};
  std::string name{};
  std::string secret{};  // empty: a public client
  bool secret_expired = false;
  std::vector<std::string> redirect_uris{};
  std::vector<std::string> mailboxes{};     // app-only: the mailboxes it may open
  std::vector<std::string> certificates{};  // PEM
  std::vector<std::string> graph_roles = {"Mail.Send", "Mail.ReadWrite"};  // app-only
  bool is_public() const { return secret.empty() && certificates.empty(); }
};

struct Seed {
  std::string tenant_name = "sandbox";
  std::string tenant_domain = "sandbox.example";
  std::string tenant_id = "5a9d0b0c-0000-4000-8000-00000000abcd";
  std::vector<User> users{};
  std::vector<App> apps{};
};

// me@, noreply@ (may send as *@apps.sandbox.example), scanner@ and shared@sandbox.example; a public
// client and a confidential one with a fresh random secret, which may open noreply@ and scanner@.
Seed built_in_seed();
base::Result<Seed> read_seed(const std::string& path);

// Whether `sender` is the user, or one that the user may send as. Case does not count.
bool may_send_as(const User& user, const std::string& sender);

}  // namespace sandbox
