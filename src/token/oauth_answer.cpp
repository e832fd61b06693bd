#include "token/oauth_answer.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"

namespace token {

namespace {

constexpr std::size_t depth_limit = 32;
constexpr std::size_t token_limit_bytes = std::size_t{32} * 1024;
constexpr std::size_t code_limit = 16;
constexpr std::size_t text_limit_bytes = 4096;
// A longer life than a day is not believed, nor needed.
constexpr std::int64_t longest_life_s = 86400;

// RFC 6749 appendix A.12: visible ASCII (a blank would end the SASL or header field it goes into).
bool token_bytes_ok(std::string_view token) {
  return std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

// Takes the events of the parser, which keeps its own stack: nesting costs no call depth. A false
// return ends the parse; unusable says why.
class Reader {
 public:
  explicit Reader(OauthAnswer& answer) : answer_(answer) {}

  bool null() { return true; }
  bool boolean(bool) { return not_expected(); }
  bool number_integer(std::int64_t value) { return take_number(value); }
  bool number_unsigned(std::uint64_t value) {
    return take_number(value > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(value));
  }
  bool number_float(double value, const std::string&) {
    const double whole = std::floor(value);
    // Far outside any life of a token, and the cast would not be defined.
    if (!(whole > -1e15 && whole < 1e15)) return take_number(whole > 0 ? INT64_MAX : -1);
    return take_number(static_cast<std::int64_t>(whole));
  }
  bool string(std::string& value) {
    const bool go_on = take_text(value);
    base::wipe(value);  // the parser's own buffer
    return go_on;
  }
  bool binary(std::vector<std::uint8_t>&) { return false; }  // not in JSON text
  bool start_object(std::size_t) { return open(true); }
  bool end_object() { return close(); }
  bool start_array(std::size_t) { return open(false); }
  bool end_array() { return close(); }

  bool key(std::string& value) {
    if (depth_ != 1) return true;
    name_ = value.size() <= 64 ? value : std::string();
    if (known(name_) && !seen_.insert(name_).second) {
      return unusable("the name " + name_ + " comes twice");
    }
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) {
    return unusable("it is not JSON");
  }

  const std::string& token_type() const { return token_type_; }

 private:
  static bool known(const std::string& name) {
    static const std::set<std::string, std::less<>> names = {
        "access_token", "refresh_token",     "token_type", "expires_in", "error",
        "error_codes",  "error_description", "id_token",   "scope",
    };
    return names.contains(name);
  }

  bool unusable(std::string why) {
    if (answer_.unusable.empty()) answer_.unusable = std::move(why);
    return false;
  }

  bool open(bool object) {
    if (depth_ == 0 && !object) return unusable("it is not a JSON object");
    if (depth_ == 1) {
      in_codes_ = !object && name_ == "error_codes";
      if (!in_codes_ && !not_expected()) return false;
    }
    if (++depth_ > depth_limit) return unusable("it is nested too deep");
    return true;
  }
  bool close() {
    --depth_;
    if (depth_ <= 1) in_codes_ = false;
    return true;
  }

  // A value of a type that its name does not have. `error` and its words may be anything: then the
  // HTTP status decides.
  bool not_expected() {
    if (depth_ == 0) return unusable("it is not a JSON object");
    if (depth_ == 1 && (name_ == "access_token" || name_ == "refresh_token" ||
                        name_ == "token_type" || name_ == "expires_in")) {
      return unusable(name_ + " has the wrong type");
    }
    return true;
  }

  bool take_number(std::int64_t value) {
    if (depth_ == 2 && in_codes_) {
      if (answer_.codes.size() < code_limit && value > 0) {
        answer_.codes.push_back(static_cast<long>(value));
      }
      return true;
    }
    if (depth_ != 1 || name_ != "expires_in") return not_expected();
    answer_.expires_in_s = std::clamp<std::int64_t>(value, 0, longest_life_s);
    return true;
  }

  bool take_token(base::Secret& into, std::string_view value) {
    if (value.size() > token_limit_bytes) return unusable(name_ + " is too long");
    if (!token_bytes_ok(value)) return unusable(name_ + " holds bytes that no token may have");
    into = base::Secret(value);
    return true;
  }

  bool take_text(const std::string& value) {
    if (depth_ == 0) return not_expected();
    if (depth_ != 1) return true;
    if (name_ == "access_token") return take_token(answer_.access_token, value);
    if (name_ == "refresh_token") return take_token(answer_.refresh_token, value);
    // What is wrong with it is nobody's business before somebody wants it.
    if (name_ == "id_token" && value.size() <= token_limit_bytes) {
      answer_.id_token = base::Secret(value);
    }
    if (name_ == "scope") answer_.scope = base::clean(value, text_limit_bytes);
    if (name_ == "token_type") token_type_ = base::clean(value, 32);
    if (name_ == "error") answer_.error = base::clean(value, 64);
    if (name_ == "error_description") answer_.description = value.substr(0, text_limit_bytes);
    if (name_ != "expires_in") return true;
    // Some servers write the number as text (managed identity does).
    std::int64_t seconds = 0;
    if (!base::parse_number(value, INT64_MIN, INT64_MAX, seconds)) return not_expected();
    answer_.expires_in_s = std::clamp<std::int64_t>(seconds, 0, longest_life_s);
    return true;
  }

  OauthAnswer& answer_;
  std::size_t depth_ = 0;
  bool in_codes_ = false;
  std::string name_;
  std::string token_type_;
  std::set<std::string> seen_;
};

}  // namespace

OauthAnswer judge_answer(std::string_view body) {
  OauthAnswer answer;
  Reader reader(answer);
  if (body.empty()) {
    answer.unusable = "it is empty";
    return answer;
  }
  const bool whole = nlohmann::json::sax_parse(body.begin(), body.end(), &reader);
  if (!whole && answer.unusable.empty()) answer.unusable = "it is not JSON";
  const std::string& type = reader.token_type();
  if (answer.unusable.empty() && !type.empty() && !base::same_ignoring_case(type, "bearer")) {
    answer.unusable = "its token type is " + type + ", not Bearer";
  }
  if (answer.unusable.empty() && answer.error.empty() && answer.access_token.empty()) {
    answer.unusable = "it holds no access_token";
  }
  if (!answer.unusable.empty()) {
    answer.access_token.wipe();
    answer.refresh_token.wipe();
    answer.id_token.wipe();
  }
  return answer;
}

}  // namespace token
