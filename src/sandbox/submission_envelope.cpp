#include "base/text.h"
#include "sandbox/intake.h"
#include "sandbox/smtp_path.h"
#include "sandbox/submission.h"

namespace sandbox {

Submission::Next Submission::mail(std::string_view arguments) {
  const Struck struck = strike("mail", "MAIL");
  if (struck != Struck::no) return struck == Struck::gone ? Next::stop : Next::go_on;
  if (!greeted_) return reply("503 5.5.2 Send hello first");
  if (!user_ && !services_.options.without_auth) {
    return reply("530 5.7.57 Client not authenticated to send mail. " + stamp());
  }
  if (in_transaction_) return reply("503 5.5.2 Sender already specified");
  PathCommand path;
  if (!parse_path_command(arguments, "FROM:", path)) return reply("501 5.1.7 Invalid address");
  forget_transaction();
  mail_parameters_ = path.parameters;
  const std::string refused = check_mail_parameters();
  if (!refused.empty()) return reply(refused);
  if (!path.ascii && !utf8_) return reply("553 5.6.7 SMTPUTF8 is needed for this sender");
  const bool allowed = path.address.empty() ? services_.options.null_sender
                                            : !user_ || may_send_as(*user_, path.address);
  if (!allowed) {
    return reply("550 5.7.60 SMTP; Client does not have permissions to send as this sender " +
                 stamp());
  }
  in_transaction_ = true;
  envelope_.from = "<" + path.address + ">";
  for (const auto& [name, value] : path.parameters) {
    envelope_.parameters +=
        (envelope_.parameters.empty() ? "" : " ") + name + (value.empty() ? "" : "=" + value);
  }
  envelope_.user = user_ ? user_->name : "";
  return reply("250 2.1.0 Sender OK");
}

std::string Submission::check_mail_parameters() {
  for (const auto& [name, value] : mail_parameters_) {
    if (name == "SIZE" && offers("SIZE")) {
      std::int64_t size = 0;
      if (!base::parse_number(value, 0, INT64_MAX, size)) return "501 5.5.4 Invalid SIZE";
      if (size > services_.options.size_limit) {
        return "552 5.3.4 Message size exceeds fixed maximum message size";
      }
    } else if (name == "BODY" && (value == "7BIT" || (value == "8BITMIME" && offers("8BITMIME")) ||
                                  (value == "BINARYMIME" && offers("BINARYMIME")))) {
      body_ = value;
    } else if (name == "SMTPUTF8" && value.empty() && offers("SMTPUTF8")) {
      utf8_ = true;
    } else if (name == "RET" && offers("DSN") && (value == "FULL" || value == "HDRS")) {
      continue;
    } else if ((name == "ENVID" && offers("DSN") && !value.empty() && value.size() <= 100) ||
               (name == "AUTH" && !value.empty())) {
      continue;
    } else {
      return "501 5.5.4 Unrecognized parameter '" + base::clean(name, 40) + "'";
    }
  }
  return {};
}

std::string Submission::check_rcpt_parameters(
    const std::vector<std::pair<std::string, std::string>>& parameters) const {
  for (const auto& [name, value] : parameters) {
    const bool known = offers("DSN") && (name == "NOTIFY" || name == "ORCPT") && !value.empty();
    if (!known) return "501 5.5.4 Unrecognized parameter '" + base::clean(name, 40) + "'";
  }
  return {};
}

Submission::Next Submission::rcpt(std::string_view arguments) {
  const Struck struck = strike("rcpt", "RCPT");
  if (struck != Struck::no) return struck == Struck::gone ? Next::stop : Next::go_on;
  if (!in_transaction_) return reply("503 5.5.2 Need mail command");
  PathCommand path;
  if (!parse_path_command(arguments, "TO:", path) || path.address.empty()) {
    return reply("501 5.1.3 Invalid address");
  }
  const std::string refused = check_rcpt_parameters(path.parameters);
  if (!refused.empty()) return reply(refused);
  if (!path.ascii && !utf8_) return reply("553 5.6.7 SMTPUTF8 is needed for this recipient");
  if (static_cast<std::int64_t>(envelope_.to.size()) >= services_.options.recipient_limit) {
    return reply("452 4.5.3 Too many recipients");
  }
  base::Result<std::vector<Fault>> faults = sandbox::recipient_faults(path.address);
  if (!faults) return reply("501 5.1.3 " + faults.error().cause);
  for (const Fault& fault : *faults) {
    if (fault.stage != "rcpt") {
      recipient_faults_.emplace_back(path.address, fault);
    } else if (services_.faults.strikes(path.address, fault)) {
      const Struck hit = suffer(fault, "<" + path.address + ">");
      if (hit != Struck::no) return hit == Struck::gone ? Next::stop : Next::go_on;
    }
  }
  std::string shown;
  for (const auto& [name, value] : path.parameters) {
    if (!shown.empty()) shown += ' ';
    shown += name;
    shown += '=';
    shown += value;
  }
  envelope_.to.push_back("<" + path.address + ">");
  envelope_.to_parameters.push_back(shown);
  return reply("250 2.1.5 Recipient OK");
}

}  // namespace sandbox
