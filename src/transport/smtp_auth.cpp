#include "transport/smtp_auth.h"

#include <algorithm>

#include "base/seal.h"
#include "base/text.h"

namespace transport {

namespace {

// sendgrid and others sign in by a name that is no mailbox.
const std::string& sign_in_name(const account::Account& account) {
  return account.auth_user.empty() ? account.user : account.auth_user;
}

constexpr std::size_t blob_limit = 12'288;      // RFC 4954 section 4: what servers must take
constexpr std::size_t command_limit = 512;      // the same, for the AUTH line with its CRLF
constexpr std::size_t challenge_limit = 4'096;  // what is told of a challenge is far less
constexpr std::string_view separator = "\x01";

std::string mechanism(account::Auth auth) {
  switch (auth) {
    case account::Auth::xoauth2:
      return "XOAUTH2";
    case account::Auth::oauthbearer:
      return "OAUTHBEARER";
    case account::Auth::plain:
      return "PLAIN";
    case account::Auth::login:
      return "LOGIN";
    case account::Auth::none:
      break;
  }
  return {};
}

bool uses_token(account::Auth auth) {
  return auth == account::Auth::xoauth2 || auth == account::Auth::oauthbearer;
}

base::Error unfit(const account::Account& account, const std::string& cause,
                  const std::string& cure) {
  base::Error error = base::failure(base::Fault::config, cause, cure);
  error.account = account.name;
  return error;
}

// RFC 5801 4: a GS2 authorization identity.
std::string gs2_name(std::string_view user) {
  std::string out;
  for (const char c : user) {
    if (c == ',') {
      out += "=2C";
    } else if (c == '=') {
      out += "=3D";
    } else {
      out += c;
    }
  }
  return out;
}

// A whole command or line, with its end, as one secret: one write, and wiped afterwards.
base::Secret line_of(std::string_view before, const base::Secret& blob) {
  base::Secret line(before);
  line.append(blob.reveal());
  line.append("\r\n");
  return line;
}

base::Error not_offered(const account::Account& account, const Dialogue& dialogue) {
  std::string offered;
  for (const std::string& one : dialogue.offers().mechanisms) offered += " " + one;
  const std::string what =
      offered.empty() ? "no sign-in at all" : base::clean(offered.substr(1), 80);
  return unfit(
      account,
      dialogue.server() + " does not offer AUTH " + mechanism(account.auth) + " but " + what,
      "check auth and smtp_host");
}

base::Done judge_offer(const account::Account& account, const Dialogue& dialogue) {
  if (!dialogue.encrypted()) {
    return unfit(account, "no sign-in without TLS", "set smtp_tls = starttls");
  }
  const std::vector<std::string>& known = dialogue.offers().mechanisms;
  const bool offered =
      std::find(known.begin(), known.end(), mechanism(account.auth)) != known.end();
  if (!offered) return not_offered(account, dialogue);
  return base::done();
}

// The words in an error challenge, base64 of JSON: shown, never parsed.
std::string challenge_words(const Reply& challenge) {
  if (challenge.text.empty() || challenge.text.size() > challenge_limit) return {};
  base::Result<std::string> words = base::from_base64(challenge.text);
  return words ? base::clean(*words, 200) : std::string();
}

// Server that cannot take the initial response, and says so by a syntax error of some kind.
bool dislikes_long_line(const Reply& reply) {
  if (reply.code == 500 || reply.code == 501 || reply.code == 502 || reply.code == 504) return true;
  return reply.code >= 550 && base::lower(reply.text).find("too long") != std::string::npos;
}

// RFC 4954 section 4; another 3xx is no answer to AUTH at all.
bool is_challenge(const Reply& reply) {
  return reply.code == 334;
}

// A refusal that another token may turn. A mailbox or tenant that is closed to SMTP, and a demand
// for a browser, stay what they are.
bool token_may_be_at_fault(const Reply& reply) {
  if (reply.status == "5.5.127") return true;
  return reply.code == 535 && reply.status != "5.7.139";
}

}  // namespace

base::Result<base::Secret> sasl_message(const account::Account& account,
                                        const base::Secret& secret) {
  if (base::has_control(sign_in_name(account))) {
    return unfit(account, "user holds a control character", "correct it in " + account.where);
  }
  if (base::has_control(secret.reveal()) || secret.empty()) {
    return unfit(account,
                 uses_token(account.auth) ? "access token is empty or malformed"
                                          : "password is empty or malformed",
                 uses_token(account.auth)
                     ? "run: mailbearer login " + account.name
                     : "run: mailbearer secret set " + account.name + " password");
  }
  base::Secret out;
  if (account.auth == account::Auth::plain) {
    out.append(std::string_view("\0", 1));
    out.append(sign_in_name(account));
    out.append(std::string_view("\0", 1));
    out.append(secret.reveal());
    return out;
  }
  if (account.auth == account::Auth::oauthbearer) {
    out.append("n,a=" + gs2_name(sign_in_name(account)) + ",");
    out.append(separator);
    out.append("host=" + account.smtp_host);
    out.append(separator);
    out.append("port=" + std::to_string(account.smtp_port));
  } else {
    out.append("user=" + sign_in_name(account));
  }
  out.append(separator);
  out.append("auth=Bearer ");
  out.append(secret.reveal());
  out.append(separator);
  out.append(separator);
  return out;
}

base::Done SignIn::run(Dialogue& dialogue) {
  wants_connection_ = false;
  base::Done offered = judge_offer(account_, dialogue);
  if (!offered) return offered;
  if (secret_.empty()) {
    base::Result<base::Secret> first = credential_(false);
    if (!first) return std::move(first).error();
    secret_ = std::move(*first);
  }
  base::Result<Reply> answer = offer(dialogue);
  if (!answer) return std::move(answer).error();
  if (answer->positive()) return base::done();
  base::Result<bool> worth = renew(*answer);
  if (!worth) return std::move(worth).error();
  if (!*worth) return dialogue.judged(*answer, Stage::auth);
  answer = offer(dialogue);
  if (!answer) {
    wants_connection_ = answer.error().fault == base::Fault::unavailable;
    return std::move(answer).error();
  }
  if (answer->positive()) return base::done();
  wants_connection_ = answer->code == 421;
  return dialogue.judged(*answer, Stage::auth);
}

// True when there is another token to try than the one that was refused.
base::Result<bool> SignIn::renew(const Reply& refusal) {
  if (renewed_ || !uses_token(account_.auth) || !token_may_be_at_fault(refusal)) return false;
  renewed_ = true;
  base::Result<base::Secret> fresh = credential_(true);
  if (!fresh) return std::move(fresh).error();
  if (fresh->reveal() == secret_.reveal()) return false;
  secret_ = std::move(*fresh);
  return true;
}

base::Result<Reply> SignIn::offer(Dialogue& dialogue) {
  if (account_.auth == account::Auth::login) return by_login(dialogue);
  base::Result<base::Secret> message = sasl_message(account_, secret_);
  if (!message) return std::move(message).error();
  const base::Secret blob = base::base64(*message);
  if (blob.size() > blob_limit) {
    return unfit(account_,
                 "access token is too long for SMTP (" + std::to_string(blob.size()) +
                     " octets of base64, the limit is " + std::to_string(blob_limit) + ")",
                 "have fewer groups or roles put into it");
  }
  dialogue.conceal(secret_);
  dialogue.conceal_base64(blob);
  return by_blob(dialogue, blob);
}

bool SignIn::initial_response_fits(const Dialogue& dialogue, std::size_t blob_octets) const {
  if (known_ != nullptr &&
      known_->refuses(dialogue.server(), KnownServers::Refusal::initial_response))
    return false;
  if (account_.sasl_ir != account::SaslIr::automatic) {
    return account_.sasl_ir == account::SaslIr::yes;
  }
  const std::size_t around =
      std::string_view("AUTH  \r\n").size() + mechanism(account_.auth).size();
  return around + blob_octets <= command_limit;
}

base::Result<Reply> SignIn::by_blob(Dialogue& dialogue, const base::Secret& blob) {
  const std::string command = "AUTH " + mechanism(account_.auth);
  bool refused_in_one = false;
  if (initial_response_fits(dialogue, blob.size())) {
    const base::Secret line = line_of(command + " ", blob);
    base::Done sent = dialogue.send(line.reveal(), Stage::auth, command + " ***");
    if (!sent) return std::move(sent).error();
    base::Result<Reply> answer = dialogue.reply(Stage::auth);
    if (!answer) return answer;
    if (is_challenge(*answer)) return answer_challenge(dialogue, *answer);
    if (!dislikes_long_line(*answer)) return answer;
    refused_in_one = true;
  }
  base::Result<Reply> ready = dialogue.ask(command + "\r\n", Stage::auth);
  if (!ready || !is_challenge(*ready)) return ready;
  // It knows the mechanism, and would not have it in one step.
  if (refused_in_one && known_ != nullptr)
    known_->note(dialogue.server(), KnownServers::Refusal::initial_response);
  const base::Secret line = line_of("", blob);
  base::Done sent = dialogue.send(line.reveal(), Stage::auth, "***");
  if (!sent) return std::move(sent).error();
  base::Result<Reply> answer = dialogue.reply(Stage::auth);
  if (!answer || !is_challenge(*answer)) return answer;
  return answer_challenge(dialogue, *answer);
}

// RFC 7628 3.2.3: the reason comes as a challenge, the refusal only after an answer to it.
base::Result<Reply> SignIn::answer_challenge(Dialogue& dialogue, const Reply& challenge) {
  const std::string words = dialogue.concealed(challenge_words(challenge));
  std::string answer = "*\r\n";
  if (account_.auth == account::Auth::xoauth2) answer = "\r\n";
  if (account_.auth == account::Auth::oauthbearer) answer = "AQ==\r\n";
  base::Result<Reply> refusal = dialogue.ask(answer, Stage::auth);
  if (!refusal || words.empty()) return refusal;
  refusal->text += (refusal->text.empty() ? "" : " ") + words;
  return refusal;
}

// Not standardised: two questions, for the name and for the password, whatever their text.
base::Result<Reply> SignIn::by_login(Dialogue& dialogue) {
  base::Result<base::Secret> fit = sasl_message(account_, secret_);
  if (!fit) return std::move(fit).error();
  dialogue.conceal(secret_);
  dialogue.conceal_base64(base::base64(secret_));
  base::Result<Reply> answer = dialogue.ask("AUTH LOGIN\r\n", Stage::auth);
  if (!answer || !is_challenge(*answer)) return answer;
  const base::Secret name(sign_in_name(account_));
  for (const base::Secret* part : {&name, static_cast<const base::Secret*>(&secret_)}) {
    const base::Secret line = line_of("", base::base64(*part));
    base::Done sent = dialogue.send(line.reveal(), Stage::auth, "***");
    if (!sent) return std::move(sent).error();
    answer = dialogue.reply(Stage::auth);
    if (!answer || !is_challenge(*answer)) return answer;
  }
  return dialogue.ask("*\r\n", Stage::auth);  // a third question is none that we know
}

}  // namespace transport
