#include "verb/stored_first.h"

#include <utility>

namespace verb {

base::Done StoredFirst::store(const LoginPlan& plan) {
  if (!plan.client_secret && !plan.password) return base::done();
  base::Result<std::unique_ptr<token::Keyring>> keyring =
      token::open_keyring(account_, place_.keyrings());
  if (!keyring) return std::move(keyring).error();
  keyring_ = std::move(*keyring);
  base::Done stored = base::done();
  if (plan.client_secret) stored = store_one(token::Kind::client_secret, *plan.client_secret);
  if (stored && plan.password) stored = store_one(token::Kind::password, *plan.password);
  return stored;
}

base::Done StoredFirst::store_one(token::Kind kind, const base::Secret& secret) {
  base::Result<std::optional<base::Secret>> before = keyring_->load(account_, kind);
  // What was stored for other words of the account is no use any more, and no hindrance.
  if (!before && before.error().fault != base::Fault::config) return std::move(before).error();
  if (before && before->has_value() && (*before)->reveal() == secret.reveal()) return base::done();
  base::Done stored = keyring_->store(account_, kind, secret);
  if (!stored) return stored;
  undo_.push_back({kind, before ? std::move(*before) : std::nullopt});
  return base::done();
}

StoredFirst::~StoredFirst() {
  for (Undo& each : undo_) {
    if (each.before) {
      (void)keyring_->store(account_, each.kind, *each.before).ok();
    } else {
      (void)keyring_->erase(account_, each.kind).ok();
    }
  }
}

}  // namespace verb
