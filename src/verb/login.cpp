// login: from nothing to a delivered message. What it needs to know is settled first (login_plan),
// in a draft of which nothing is on disk; then somebody signs in; only then credential and section
// are stored; then the server is asked, and a message sent.
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/crypto_library.h"
#include "base/process.h"
#include "base/text.h"
#include "net/helper_program.h"
#include "report/tell.h"
#include "token/obtain.h"
#include "token/sign_in.h"
#include "transport/probe.h"
#include "verb/admin_request.h"
#include "verb/agent_secrets.h"
#include "verb/call.h"
#include "verb/console.h"
#include "verb/draft.h"
#include "verb/families.h"
#include "verb/login_plan.h"
#include "verb/login_result.h"
#include "verb/place.h"
#include "verb/sign_in.h"
#include "verb/stored_first.h"
#include "verb/terminal.h"
#include "verb/test_message.h"

namespace verb {

namespace {

using account::Account;
using base::Fault;

constexpr std::int64_t first_pause_ms = 15'000;
constexpr std::int64_t longest_pause_ms = 60'000;

bool by_token(const Account& account) {
  return account.transport == account::Transport::graph || account.auth == account::Auth::xoauth2 ||
         account.auth == account::Auth::oauthbearer;
}

class Login {
 public:
  Login(const Call& call, const Place& place, Draft& draft, LoginPlan& plan)
      : call_(call),
        place_(place),
        draft_(draft),
        plan_(plan),
        helper_(base::sibling_program("mailbearer-helper", MAILBEARER_LIBEXEC),
                cli::environment_for_child(place.environment)) {}

  // What an agent keeps is not kept here, too; but the server is asked before that.
  ~Login() {
    if (!told_) return;
    const base::Result<Account> account = draft_.account();
    if (account) forget_here(place_, *account);
  }
  Login(const Login&) = delete;
  Login& operator=(const Login&) = delete;

  int run() {
    const base::Result<bool> already = needs_nothing();
    if (!already) return complain(already.error());
    if (*already) return 0;
    for (;;) {
      const base::Result<Account> account = draft_.account();
      if (!account) return complain(account.error());
      if (account->broken) return complain(*account->broken);
      base::Done signed_in = sign_in_and_keep(*account);
      if (!signed_in) return complain_of_sign_in(signed_in.error(), *account);
      const std::optional<base::Error> refused = prove();
      if (!refused) return finish();
      if (!wants_graph(*refused)) return unproved(*refused);
      draft_.set("transport", "graph");
    }
  }

 private:
  token::SignInPlaces places() {
    token::SignInPlaces out;
    const base::Result<account::Configuration> configuration = draft_.configuration();
    out.places.runtime_dir = configuration ? place_.runtime_dir(*configuration) : std::string();
    out.places.keyring = place_.keyrings();
    out.helper = {[this] { return helper_.open(); }};
    return out;
  }

  // --if-needed: an account that can get a new token, whatever is cached, is left alone.
  base::Result<bool> needs_nothing() {
    if (!call_.command.has("--if-needed") || !draft_.exists()) return false;
    const base::Result<Account> account = draft_.account();
    if (!account) return account.error();
    if (account->broken || !by_token(*account)) return false;
    base::Result<token::SignedIn> proved = base::failure(Fault::bug, "not asked");
    {
      const base::SignalHold hold;  // a rotated refresh token comes back
      proved = token::sign_in_unattended(*account, places());
    }
    if (!proved && proved.error().kind == base::FaultClass::temporary) return proved.error();
    if (!proved) return false;
    tell(account->name + " is signed in already.\n");
    const base::Result<bool> written = draft_.write();
    if (!written) return written.error();
    return true;
  }

  base::Done sign_in_and_keep(const Account& account) {
    // Between storing a secret and knowing that it serves nobody ends us; no person is waited for.
    std::optional<base::SignalHold> hold;
    if (account.grant != account::Grant::user || !by_token(account)) hold.emplace();
    // Nobody signs in for what cannot be written down.
    base::Done writable = draft_.may_write();
    if (!writable) return writable;
    StoredFirst first(account, place_);
    base::Done stored = first.store(plan_);
    if (!stored) return stored;
    if (!by_token(account)) {
      base::Done taken = take_password(account);
      if (taken) first.commit();
      return taken;
    }
    const token::SignInPlaces at = places();
    base::Result<token::SignedIn> signed_in = sign_in(account, at, plan_, call_.input_closed);
    if (!signed_in) return std::move(signed_in).error();
    base::Result<Account> settled = settle_user(account, *signed_in);
    if (!settled) return std::move(settled).error();
    const base::Done fits = judge_sign_in(*settled, *signed_in);
    if (!fits) return fits.error();
    base::Done kept = keep(*settled, at, *signed_in);
    if (kept) first.commit();
    return kept;
  }

  // Without a token there is no sign-in but the server's: nothing is written unless it takes us.
  base::Done take_password(const Account& account) {
    const std::optional<base::Error> refused = probe(account);
    if (refused) return *refused;
    proved_ = true;
    return write();
  }

  // The last moment at which nothing has been written; from here on it is quick, and not cut in
  // two.
  base::Done keep(const Account& account, const token::SignInPlaces& at,
                  const token::SignedIn& signed_in) {
    const base::SignalHold hold;
    // Time has passed: what is kept must not take the place of somebody else's credential.
    base::Done writable = draft_.may_write();
    if (!writable) return writable;
    token::forget(account, at.places);
    // Without a person there is nothing to keep: what signs in lies there already.
    const bool by_person = account.grant == account::Grant::user;
    base::Done kept = by_person ? token::keep(account, at, signed_in) : base::done();
    if (kept) kept = write();
    if (kept) tell(told_of_sign_in(account, signed_in, place_));
    return kept;
  }

  base::Done write() {
    const base::Result<bool> written = draft_.write();
    if (!written) return written.error();
    if (*written) tell("Account " + draft_.name() + " is written to " + draft_.file() + ".\n");
    const base::Result<Account> account = draft_.account();
    if (!account) return account.error();
    const base::Result<std::int64_t> released = tell_agent(place_, *account);
    if (!released) return released.error();
    told_ = true;
    if (*released > 0) {
      tell(std::to_string(*released) + " messages that waited for the account go out now.\n");
    }
    return base::done();
  }

  // Whoever signed in need not be the mailbox: a shared one, or an alias of it.
  base::Result<Account> settle_user(const Account& account, const token::SignedIn& signed_in) {
    const std::string& who = signed_in.user;
    if (who.empty() || base::same_ignoring_case(who, account.auth_user) ||
        base::same_ignoring_case(who, account.user)) {
      return account;
    }
    if (!person_is_there()) {
      return base::failure(Fault::sign_in_needed,
                           "signed in as " + who + ", but the account's user is " + account.user,
                           "sign in as " + account.user + ", or add --auth-user " + who +
                               " (an alias) or --auth-user " + account.user +
                               " (a shared mailbox)");
    }
    return ask_user(account, who);
  }

  base::Result<Account> ask_user(const Account& account, const std::string& who) {
    const base::Result<std::size_t> chosen = ask_choice(
        "You signed in as " + who + ", but the account's user is " + account.user,
        {account.user + " is a shared mailbox that " + who + " may use",
         account.user + " is another address of " + who + " (personal accounts: an alias)",
         "that was the wrong person: stop"},
        "--auth-user " + who);
    if (!chosen) return chosen.error();
    if (*chosen == 2) {
      return base::failure(Fault::sign_in_needed, "signed in as " + who + "; nothing was kept",
                           "run: mailbearer login " + account.user);
    }
    draft_.set("auth_user", *chosen == 0 ? account.user : who);
    return draft_.account();
  }

  // What an AUTH says; nothing: it is fine, or there is nothing that could be asked without
  // sending.
  std::optional<base::Error> prove() {
    const base::Result<Account> account = draft_.account();
    if (!account) return account.error();
    if (proved_ || account->transport != account::Transport::smtp) return {};
    const base::Deadline deadline = base::Deadline::after_ms(plan_.wait_s * 1000);
    std::int64_t pause_ms = first_pause_ms;
    for (;;) {
      std::optional<base::Error> refused = probe(*account);
      if (!refused || !is_replication(*refused) || deadline.passed()) return refused;
      if (!tries_again(*refused)) return refused;
      poll_for(std::min<std::int64_t>(pause_ms, deadline.left_ms()));
      pause_ms = std::min(pause_ms * 2, longest_pause_ms);
    }
  }

  std::optional<base::Error> probe(const Account& account) {
    const token::SignInPlaces at = places();
    token::Source source(account, at.places, at.helper);
    return transport::probe_smtp(
               account,
               [&](bool fresh) -> base::Result<base::Secret> {
                 if (!by_token(account)) return source.password();
                 return source.get(fresh ? token::Want::fresh : token::Want::usable);
               })
        .error;
  }

  // A new application, or a right given a minute ago, is not known to every server yet.
  static bool is_replication(const base::Error& error) {
    return error.status == "5.7.3" || error.said.find("5.7.3 ") != std::string::npos;
  }

  bool tries_again(const base::Error& refused) {
    if (trying_) return true;
    tell(refused.cause + (refused.said.empty() ? "" : " [server: \"" + refused.said + "\"]") +
         ".\nA new application or a new right takes some minutes to reach every server.\n");
    trying_ = plan_.keep_trying;
    if (!trying_ && person_is_there()) {
      const base::Result<bool> yes = ask_yes("Keep trying?", true, "--wait 30m");
      trying_ = yes && *yes;
      plan_.wait_s = std::max<std::int64_t>(plan_.wait_s, 30L * 60);
    }
    if (trying_) tell("Trying again, up to " + std::to_string(plan_.wait_s / 60) + " minutes.\n");
    return trying_;
  }

  static void poll_for(std::int64_t ms) { usleep(static_cast<useconds_t>(ms) * 1000); }

  // SMTP sign-in is off for the mailbox or the tenant; Graph asks nobody's leave but the mailbox's.
  bool wants_graph(const base::Error& refused) {
    const bool off = refused.said.find("5.7.139") != std::string::npos &&
                     refused.said.find("SmtpClientAuthentication") != std::string::npos;
    const base::Result<Account> account = draft_.account();
    if (!off || !account || account->graph_endpoint.empty()) return false;
    if (plan_.graph_too) {
      tell("SMTP sign-in is off for " + account->user + "; going on with Microsoft Graph.\n");
      return true;
    }
    if (!person_is_there()) return false;
    tell("SMTP sign-in is off for " + account->user + " [server: \"" + refused.said + "\"].\n");
    const base::Result<bool> yes = ask_yes(
        "Send by Microsoft Graph instead? It needs another sign-in", true, "--transport graph");
    return yes && *yes;
  }

  int finish() {
    const base::Result<Account> account = draft_.account();
    if (!account) return complain(account.error());
    const std::string not_proved =
        "Signed in; sending not proved, run: mailbearer test " + account->name + "\n";
    if (!plan_.test) return say(not_proved);
    const base::Result<std::string> id = send_test_message(place_, *account, account->user);
    if (id) return say("Delivered: test message accepted as <" + *id + ">\n");
    const int code = complain(id.error());
    say(not_proved);
    return code;
  }

  // With the server's words, which here are no line of a log.
  static int complain_in_full(base::Error error) {
    if (!error.said.empty()) error.cause += " [server: \"" + error.said + "\"]";
    return complain(error);
  }

  int unproved(const base::Error& refused) {
    const int code = complain_in_full(refused);
    say("Signed in; sending not proved, run: mailbearer test " + draft_.name() + "\n");
    return code;
  }

  int complain_of_sign_in(const base::Error& error, const Account& account) {
    if (needs_administrator(error) && family_of(account) == Family::microsoft) {
      tell("The organisation's administrator has to act first. Send this on:\n\n" +
           admin_request(account) + "\n");
    }
    return complain_in_full(error);
  }

  const Call& call_;
  const Place& place_;
  Draft& draft_;
  LoginPlan& plan_;
  net::HelperProgram helper_;
  bool trying_ = false;
  bool proved_ = false;
  bool told_ = false;  // the agent
};

base::Done may_write(const Place& place) {
  if (place.paths.profile != account::Profile::system || geteuid() == 0) return base::done();
  return base::failure(Fault::not_permitted, "the host's accounts are root's to change",
                       "run: sudo mailbearer login --system (own account: mailbearer login)");
}

}  // namespace

int login(const Call& call) {
  const Place place(call.command);
  const base::Done allowed = may_write(place);
  if (!allowed) return complain(allowed.error());
  base::start_crypto(base::Crypto::whole);
  base::Result<Draft> draft = Draft::begin(place);
  if (!draft) return complain(draft.error());
  const base::Done settled = settle_account(call, place, *draft);
  if (!settled) return complain(settled.error());
  base::Result<LoginPlan> plan = settle_plan(call, place, *draft);
  if (!plan) return complain(plan.error());
  if (call.command.has("--print-admin-request")) {
    const base::Result<Account> account = draft->account();
    return account ? say(admin_request(*account)) : complain(account.error());
  }
  return Login(call, place, *draft, *plan).run();
}

}  // namespace verb
