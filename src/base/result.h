// result: a value or an Error; Done where there is no value.
// [[nodiscard]]: an answer that nobody looks at is a compiler warning. value() of an error aborts:
// our bug.
#pragma once

#include <cstdlib>
#include <utility>
#include <variant>

#include "base/error.h"

namespace base {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : held_(std::in_place_index<0>, std::move(value)) {}  // NOLINT implicit on purpose
  Result(Error error)
      : held_(std::in_place_index<1>, std::move(error)) {}  // NOLINT implicit on purpose

  bool ok() const { return held_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return *checked(); }
  const T& value() const& { return *checked(); }
  T&& value() && { return std::move(*checked()); }
  T& operator*() { return *checked(); }
  const T& operator*() const { return *checked(); }
  T* operator->() { return checked(); }
  const T* operator->() const { return checked(); }

  const Error& error() const& { return *checked_error(); }
  Error&& error() && { return std::move(*checked_error()); }

 private:
  T* checked() {
    if (T* value = std::get_if<0>(&held_)) return value;
    std::abort();
  }
  const T* checked() const {
    if (const T* value = std::get_if<0>(&held_)) return value;
    std::abort();
  }
  Error* checked_error() {
    if (Error* error = std::get_if<1>(&held_)) return error;
    std::abort();
  }
  const Error* checked_error() const {
    if (const Error* error = std::get_if<1>(&held_)) return error;
    std::abort();
  }

  std::variant<T, Error> held_;
};

struct Nothing {};
using Done = Result<Nothing>;
inline Done done() {
  return Nothing{};
}

}  // namespace base
