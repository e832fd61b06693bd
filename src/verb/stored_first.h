// stored_first: a client secret or password that has to lie in the keyring before the first request
// can be made. Unless commit() says that all went well, what was stored before is there again: a
// sign-in that fails changes nothing. Errors: those of the keyring.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "account/account.h"
#include "token/keyring.h"
#include "verb/login_plan.h"
#include "verb/place.h"

namespace verb {

class StoredFirst {
 public:
  // Both must outlive this.
  StoredFirst(const account::Account& account, const Place& place)
      : account_(account), place_(place) {}
  ~StoredFirst();
  StoredFirst(const StoredFirst&) = delete;
  StoredFirst& operator=(const StoredFirst&) = delete;

  base::Done store(const LoginPlan& plan);
  void commit() { undo_.clear(); }

 private:
  struct Undo {
    token::Kind kind;
    std::optional<base::Secret> before{};
  };
  base::Done store_one(token::Kind kind, const base::Secret& secret);

  const account::Account& account_;
  const Place& place_;
  std::unique_ptr<token::Keyring> keyring_{};
  std::vector<Undo> undo_{};
};

}  // namespace verb
