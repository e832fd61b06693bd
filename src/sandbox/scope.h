// scope: the scope parameter of a request, judged as Entra does.
// Source: facts/providers.md 1.2. One token is for one resource. Errors: an AADSTS number.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

struct Scope {
  std::string resource{};                  // "https://outlook.office.com"; empty: OpenID only
  std::vector<std::string> permissions{};  // "SMTP.Send"; "default" for /.default
  bool offline = false;
  bool openid = false;
  long fault = 0;  // 70011 unknown, 28000 several resources, 0 fine
  std::string culprit{};
  bool is_default() const { return permissions.size() == 1 && permissions[0] == ".default"; }
  std::string text() const;  // as the answer shows it
};

// `several`: an authorize request may name several resources; the first is taken.
Scope parse_scope(std::string_view text, bool several);

// Whether the token may be used to submit mail. `app_only` tokens must be for outlook.office365.com
// (the service's own rule), a person's for either name.
bool allows_smtp(const std::string& resource, const std::vector<std::string>& permissions,
                 bool app_only);
bool is_graph(const std::string& resource);
// `of_another`: for a mailbox that is not the user's own, where the name ends in ".Shared".
bool allows_graph(const std::vector<std::string>& permissions, std::string_view wanted,
                  bool of_another);

}  // namespace sandbox
