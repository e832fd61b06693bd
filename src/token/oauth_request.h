// oauth_request: the helper's side of a token request: the record's form becomes one HTTPS POST,
// the answer a record again. Source: RFC 6749 appendix B for the form. Only the helper links it.
// Answer fields: status, access_token, refresh_token, expires_in, error, error_description,
// error_codes, retry_after, unusable; or an error (net::put_error) when there was no answer. With
// claims=1 also scope, id.* (iss aud nonce exp user name tid oid sub; id=1: there was an ID token
// that can be read) and at.* (aud scp roles app: of an access token that is a JWT). Lists are words
// with blanks between. No signature is looked at: see sign_in.h.
#pragma once

#include "net/http.h"
#include "net/record.h"

namespace token {

net::Record serve_token_request(const net::Record& request, net::HttpClient& client);
// The same for device authorization (RFC 8628 3.2): device_code, user_code, verification_uri,
// verification_uri_complete, message, expires_in, interval; error and its words as above.
net::Record serve_device_request(const net::Record& request, net::HttpClient& client);

// The record of an answer in the form of a token endpoint's.
net::Record token_record(const net::HttpAnswer& answer, const net::Record& request);

// application/x-www-form-urlencoded, names and values.
base::Secret form_of(const net::Record& request);

}  // namespace token
