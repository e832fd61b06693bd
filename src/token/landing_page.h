// landing_page: what the loopback port answers to a browser, whole, as it goes over the wire. No
// script, nothing from elsewhere, nothing kept; words of a provider are cleaned and escaped.
// Source: RFC 9110, 9111; CSP level 3. Pure.
#pragma once

#include <string>
#include <string_view>

#include "token/redirect.h"

namespace token {

enum class WithBody : bool { no, yes };

// Of our own sign-in's answer: that it came, or what the provider refused it with.
std::string landing_page(const RedirectAnswer& answer);
// 404, for whatever else is asked.
std::string not_found_page(WithBody body);

}  // namespace token
