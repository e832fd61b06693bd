#include "token/landing_page.h"

#include "base/text.h"

namespace token {

namespace {

std::string page(const std::string& title, const std::string& inside) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>" + title +
         " - Mailbearer</title>\n</head>\n<body>\n<h1>" + title + "</h1>\n" + inside +
         "</body>\n</html>\n";
}

std::string answer_of(std::string_view status, const std::string& body, WithBody with_body) {
  std::string out = "HTTP/1.1 " + std::string(status) +
                    "\r\nContent-Type: text/html; charset=utf-8"
                    "\r\nContent-Length: " +
                    std::to_string(body.size()) +
                    "\r\nConnection: close"
                    "\r\nCache-Control: no-store"
                    "\r\nContent-Security-Policy: default-src 'none'; base-uri 'none'; "
                    "form-action 'none'; frame-ancestors 'none'"
                    "\r\nX-Content-Type-Options: nosniff"
                    "\r\nX-Frame-Options: DENY"
                    "\r\nReferrer-Policy: no-referrer"
                    "\r\nCross-Origin-Opener-Policy: same-origin"
                    "\r\nCross-Origin-Resource-Policy: same-origin"
                    "\r\n\r\n";
  if (with_body == WithBody::yes) out += body;
  return out;
}

}  // namespace

std::string landing_page(const RedirectAnswer& answer) {
  if (answer.error.empty()) {
    return answer_of("200 OK",
                     page("The sign-in page has answered",
                          "<p>Mailbearer has the answer and finishes the sign-in in the terminal: "
                          "look there for the result.</p>\n<p>You may close this window.</p>\n"),
                     WithBody::yes);
  }
  std::string words =
      "<p>The provider says: <code>" + base::html_escape(answer.error) + "</code></p>\n";
  if (!answer.description.empty())
    words += "<p>" + base::html_escape(answer.description) + "</p>\n";
  return answer_of("200 OK",
                   page("The sign-in was refused",
                        words + "<p>Nothing was stored. The terminal says what to do next.</p>\n"
                                "<p>You may close this window.</p>\n"),
                   WithBody::yes);
}

std::string not_found_page(WithBody body) {
  return answer_of("404 Not Found",
                   page("Nothing is here",
                        "<p>This port waits for the end of a sign-in, and this was not it.</p>\n"),
                   body);
}

}  // namespace token
