#include "token/assertion.h"

#include <nlohmann/json.hpp>

#include "base/certificate.h"
#include "base/random.h"
#include "base/seal.h"
#include "token/flat_json.h"

namespace token {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t life_s = 600;
constexpr const char* client_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

// Invalid UTF-8 in a value becomes U+FFFD: dump() would else throw.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

struct Material {
  base::Secret key{};
  base::Secret passphrase{};
  std::string issuer{};
  std::string key_id{};
};

// A PEM file as it is; of Google's JSON the key, its id and the account's address.
base::Result<Material> material_of(net::Record& request) {
  Material material;
  material.key = request.take("sign.key");
  material.passphrase = request.take("sign.passphrase");
  material.issuer = request.take("sign.issuer").reveal();
  const std::string_view text = material.key.reveal();
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '{') return material;
  const std::optional<FlatJson> json = read_flat_json(text);
  if (!json || json->text("private_key").empty()) {
    return base::failure(base::Fault::config, "the key file is JSON without a private_key",
                         "use the key file of a service account, as it was downloaded");
  }
  if (!json->text("client_email").empty()) material.issuer = json->text("client_email");
  material.key_id = json->text("private_key_id");
  base::Secret key(json->text("private_key"));
  material.key = std::move(key);
  return material;
}

base::Done add_thumbprint(Json& header, const Material& material, std::string_view certificate,
                          bool pss) {
  base::Result<base::CertificateFacts> facts = base::read_certificate(certificate);
  if (!facts) return std::move(facts).error();
  base::Done fits =
      base::check_key({material.key.reveal(), material.passphrase.reveal()}, certificate);
  if (!fits) return fits;
  if (pss) {
    header["x5t#S256"] = base::base64url(facts->sha256);
  } else {
    header["x5t"] = base::base64url(facts->sha1);
  }
  return base::done();
}

Json claims_of(net::Record& request, const Material& material, bool service, std::int64_t now_s) {
  Json claims = {{"iss", material.issuer}, {"sub", std::string(request.get("sign.subject"))}};
  claims["aud"] = std::string(request.get("sign.audience"));
  if (service) {
    claims["scope"] = std::string(request.get("sign.scope"));
  } else {
    claims["jti"] = base::random_hex(16);
    claims["nbf"] = now_s;
  }
  claims["iat"] = now_s;
  claims["exp"] = now_s + life_s;
  return claims;
}

base::Result<std::string> signed_jwt(net::Record& request, const Material& material, bool service,
                                     std::int64_t now_s) {
  const bool pss = request.get("sign.algorithm") == "ps256";
  Json header = {{"alg", pss ? "PS256" : "RS256"}, {"typ", "JWT"}};
  if (!material.key_id.empty()) header["kid"] = material.key_id;
  if (!service) {
    base::Done added = add_thumbprint(header, material, request.get("sign.certificate"), pss);
    if (!added) return std::move(added).error();
  }
  std::string text = base::base64url(text_of(header)) + "." +
                     base::base64url(text_of(claims_of(request, material, service, now_s)));
  base::Result<std::string> signature =
      base::sign(pss ? base::Signature::ps256 : base::Signature::rs256,
                 {material.key.reveal(), material.passphrase.reveal()}, text);
  if (!signature) return std::move(signature).error();
  return text + "." + base::base64url(*signature);
}

}  // namespace

base::Done put_assertion(net::Record& request, std::int64_t now_s) {
  if (!request.has("sign.kind")) return base::done();
  const bool service = request.get("sign.kind") == "service";
  base::Result<Material> material = material_of(request);
  if (!material) return std::move(material).error();
  base::Result<std::string> jwt = signed_jwt(request, *material, service, now_s);
  for (const char* name : {"sign.kind", "sign.algorithm", "sign.certificate", "sign.subject",
                           "sign.audience", "sign.scope"}) {
    request.take(name);
  }
  if (!jwt) return std::move(jwt).error();
  if (!service) request.put("form.client_assertion_type", client_type);
  request.put(service ? "form.assertion" : "form.client_assertion", base::Secret::take(*jwt));
  return base::done();
}

}  // namespace token
