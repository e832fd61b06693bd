#include "sandbox/scope.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace sandbox {

namespace {

constexpr std::string_view outlook = "https://outlook.office.com";
constexpr std::string_view outlook365 = "https://outlook.office365.com";
constexpr std::string_view graph = "https://graph.microsoft.com";

struct Permission {
  std::string_view resource;
  std::string_view name;
};
constexpr std::array known = {
    Permission{outlook, "SMTP.Send"},
    Permission{outlook365, "SMTP.Send"},
    Permission{outlook, "IMAP.AccessAsUser.All"},
    Permission{outlook, ".default"},
    Permission{outlook365, ".default"},
    Permission{graph, ".default"},
    Permission{graph, "Mail.Send"},
    Permission{graph, "Mail.Send.Shared"},
    Permission{graph, "Mail.ReadWrite"},
    Permission{graph, "Mail.ReadWrite.Shared"},
    Permission{graph, "User.Read"},
};

bool has(const std::vector<std::string>& permissions, std::string_view wanted) {
  return std::find(permissions.begin(), permissions.end(), wanted) != permissions.end();
}

void take_word(Scope& scope, const std::string& word, bool several) {
  if (word == "offline_access") {
    scope.offline = true;
    return;
  }
  if (word == "openid" || word == "profile" || word == "email") {
    scope.openid = true;
    return;
  }
  const auto found = std::find_if(known.begin(), known.end(), [&](const Permission& one) {
    return base::same_ignoring_case(word, std::string(one.resource) + "/" + std::string(one.name));
  });
  if (found == known.end()) {
    scope.fault = 70011;
    scope.culprit = word;
  } else if (!scope.resource.empty() && scope.resource != found->resource) {
    if (!several) scope.fault = 28000;
  } else {
    scope.resource = found->resource;
    scope.permissions.emplace_back(found->name);
  }
}

}  // namespace

std::string Scope::text() const {
  std::string out;
  for (const std::string& permission : permissions) {
    out += (out.empty() ? "" : " ") + resource + "/" + permission;
  }
  return out;
}

Scope parse_scope(std::string_view text, bool several) {
  Scope scope;
  for (const std::string& word : base::words(text)) {
    take_word(scope, word, several);
    if (scope.fault != 0) break;
  }
  return scope;
}

bool allows_smtp(const std::string& resource, const std::vector<std::string>& permissions,
                 bool app_only) {
  if (app_only) return resource == outlook365 && has(permissions, "SMTP.SendAsApp");
  return (resource == outlook || resource == outlook365) &&
         (has(permissions, "SMTP.Send") || has(permissions, ".default"));
}

bool is_graph(const std::string& resource) {
  return resource == graph;
}

bool allows_graph(const std::vector<std::string>& permissions, std::string_view wanted,
                  bool of_another) {
  return has(permissions, ".default") ||
         has(permissions, std::string(wanted) + (of_another ? ".Shared" : ""));
}

}  // namespace sandbox
