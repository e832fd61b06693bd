// sign_in: a person's way through a sign-in: which flow, what is shown, what is waited for. The
// flows themselves are token/browser and token/device. Errors: theirs; Fault::unavailable when
// nobody came in time.
#pragma once

#include "cli/environment.h"
#include "token/sign_in.h"
#include "verb/login_plan.h"

namespace verb {

// For the grants without a person there is nothing to show: one request.
base::Result<token::SignedIn> sign_in(const account::Account& account,
                                      const token::SignInPlaces& places, const LoginPlan& plan,
                                      bool input_closed);

// The flow that is taken where none is asked for.
LoginPlan::Way usual_way(const cli::Desk& desk, bool is_root);

}  // namespace verb
