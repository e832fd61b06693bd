#include "base/clock.h"
#include "base/seal.h"
#include "base/text.h"
#include "sandbox/assertion.h"
#include "sandbox/identity.h"

namespace sandbox {

namespace {

constexpr const char* assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

// RFC 6749 section 2.3.1: user and password are form-encoded inside Basic. A client that does not
// encode is understood too, as long as its words hold no percent sign.
bool read_basic(const std::string& authorization, std::string& id, std::string& secret) {
  if (!base::starts_with_ignoring_case(authorization, "Basic ")) return false;
  base::Result<std::string> plain = base::from_base64(base::trim(authorization.substr(6)));
  if (!plain) return false;
  const std::size_t colon = plain->find(':');
  if (colon == std::string::npos) return false;
  const auto decode = [](const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto digit = [&](std::size_t at) {
        const std::string_view hex = "0123456789abcdef";
        return at < text.size() ? hex.find(base::to_lower(text[at])) : std::string_view::npos;
      };
      if (text[i] == '%' && digit(i + 1) < 16 && digit(i + 2) < 16) {
        out += static_cast<char>(digit(i + 1) * 16 + digit(i + 2));
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  };
  id = decode(plain->substr(0, colon));
  secret = decode(plain->substr(colon + 1));
  return true;
}

}  // namespace

std::optional<EntraError> Identity::prove_client(const WebRequest& request,
                                                 const std::string& tenant, bool app_only,
                                                 Client& client) {
  std::string id = parameter(request.form, "client_id");
  std::string secret = parameter(request.form, "client_secret");
  std::string basic_id;
  if (read_basic(request.authorization, basic_id, secret) && id.empty()) id = basic_id;
  if (id.empty()) return entra_error(900144, "client_id");
  const std::optional<App> app = tenant_.app(id);
  if (!app) return entra_error(700016, id);
  client.app = *app;
  const bool asserted = request.form.count("client_assertion") != 0;
  if (app->is_public()) {
    if (!secret.empty() || asserted) return entra_error(700025);
    if (app_only) return entra_error(7000218);
    return std::nullopt;
  }
  if (asserted) return prove_assertion(request, tenant, *app);
  if (secret.empty()) return entra_error(7000218);
  if (app->secret.empty() || secret != app->secret) return entra_error(7000215, id);
  if (app->secret_expired) return entra_error(7000222, id);
  return std::nullopt;
}

std::optional<EntraError> Identity::prove_assertion(const WebRequest& request,
                                                    const std::string& tenant, const App& app) {
  if (parameter(request.form, "client_assertion_type") != assertion_type) {
    return entra_error(900144, "client_assertion_type");
  }
  AssertionRules rules;
  rules.client_id = app.client_id;
  rules.certificates = app.certificates;
  rules.now = base::wall_seconds();
  for (const std::string& name : {tenant, tenant_.id(), tenant_.domain()}) {
    rules.audiences.push_back(base_url_ + "/" + name + "/oauth2/v2.0/token");
    rules.audiences.push_back(base_url_ + "/" + name + "/v2.0");
  }
  const AssertionVerdict verdict =
      check_assertion(parameter(request.form, "client_assertion"), rules);
  if (verdict.code != 0) return entra_error(verdict.code, verdict.detail);
  if (!tenant_.take_assertion_id(app.client_id, verdict.jti)) {
    return entra_error(50013, "The assertion was used before.");
  }
  return std::nullopt;
}

}  // namespace sandbox
