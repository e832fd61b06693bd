// oauth_request: the helper's side of a token request: the record's form becomes one HTTPS POST,
// the answer a record again. Source: RFC 6749 appendix B for the form. Only the helper links it.
// Answer fields: status, access_token, refresh_token, expires_in, error, error_description,
// error_codes, retry_after, unusable; or an error (net::put_error) when there was no answer.
#pragma once

#include "net/http.h"
#include "net/record.h"

namespace token {

net::Record serve_token_request(const net::Record& request, net::HttpClient& client);

// application/x-www-form-urlencoded, names and values.
base::Secret form_of(const net::Record& request);

}  // namespace token
