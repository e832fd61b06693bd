// assertion: the signed JWT by which an app proves itself, made in the helper for one token request
// (docs/decisions/0019). Source: RFC 7521 4.2, RFC 7523 2.1, 2.2, 3; facts (providers) 1.5, 4.1.
// Only the helper links it. The record says sign.kind (client: of an app, by certificate; service:
// of a Google service account, for a mailbox), sign.algorithm (ps256, rs256), sign.key (PEM, or
// Google's JSON), sign.certificate, sign.passphrase, sign.issuer, sign.subject, sign.audience,
// sign.scope. They are taken out of it; the form gets the assertion. Life: 10 minutes, of a
// service's up to the hour that Google allows. Errors: those of base/certificate.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "net/record.h"

namespace token {

// Nothing where nothing is to be signed.
base::Done put_assertion(net::Record& request, std::int64_t now_s);

}  // namespace token
