// http_curl_failure: a transfer that libcurl gave up, in our words. Internal to http_curl, and
// besides it the only file that sees libcurl.
#pragma once

#include <curl/curl.h>

#include "net/http.h"

namespace net {

struct Failure {
  CURL* handle;
  CURLcode code;
  const HttpRequest& request;
  bool too_large;     // more than the limit came, and was not read
  const char* words;  // libcurl's own
};

base::Error transfer_failure(const Failure& failure);

// The same where the request had left whole: what became of it is unknown.
base::Error without_answer(base::Error broken);

}  // namespace net
