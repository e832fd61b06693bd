// sendmail: the front end, with the caller's rights. argv and standard input in, one handover, an
// exit code out. Links nothing heavy; holds no token. Names: sendmail, mailq, newaliases (R8).
#include <unistd.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/process.h"
#include "base/random.h"
#include "cli/argv.h"
#include "cli/environment.h"
#include "front/hand_in.h"
#include "front/progress.h"
#include "front/queue.h"
#include "front/smtp.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "mail/read.h"
#include "report/exit_code.h"
#include "report/tell.h"
#include "submit/hand_over.h"

namespace {

// What a person reads on standard error, in one write so that callers see one line; never SIGPIPE.
int complain(const std::string& text, int exit) {
  const std::string line = "sendmail: " + text + "\n";
  (void)!write(STDERR_FILENO, line.data(), line.size());
  return exit;
}

int complain(const base::Error& error) {
  return complain(report::tell(error), report::exit_code(error.fault));
}

void say(const std::string& text) {
  (void)!write(STDOUT_FILENO, text.data(), text.size());
}

// Recipients of the arguments and, with -t, of the header; the sender; delivery status wishes.
base::Done fill_envelope(const cli::Request& request, const cli::Person& person,
                         const mail::Header& header, mail::Envelope& envelope) {
  envelope.sender_given = request.sender.has_value();
  envelope.sender = request.sender.value_or(mail::Mailbox{person.login, ""});
  envelope.body = request.body;
  envelope.ret = request.ret;
  envelope.envid = request.envid;
  for (const std::string& operand : request.operands) {
    base::Done added = mail::add_argument(envelope, operand);
    if (!added) return added;
  }
  if (request.recipients_from_header) {
    base::Done added = mail::add_header_recipients(envelope, header);
    if (!added) return added;
  }
  if (envelope.recipients.empty()) {
    return base::failure(base::Fault::bad_message, "the arguments name no recipient",
                         "name at least one address");
  }
  for (mail::Recipient& recipient : envelope.recipients) recipient.notify = request.notify;
  return base::done();
}

int deliver(const cli::Request& request, bool input_closed) {
  const auto tell = [&request](const base::Error& error) {  // -oeq: the exit code alone tells
    return request.quiet ? report::exit_code(error.fault) : complain(error);
  };
  if (input_closed) {
    return tell(base::failure(base::Fault::io, "standard input is closed",
                              "give the message on standard input"));
  }
  const cli::Person person = cli::person_of(getuid());
  base::Result<base::Scratch> bytes = mail::read_message(STDIN_FILENO, request.dots, 0);
  if (!bytes) return tell(bytes.error());
  base::Result<mail::Message> message = mail::split(std::move(*bytes), mail::Extent::header_only);
  if (!message) return tell(message.error());

  mail::Submission submission;
  submission.id = base::random_hex(16);
  submission.asked_account = request.account;
  submission.message = std::move(*message);
  base::Done filled =
      fill_envelope(request, person, submission.message.header, submission.envelope);
  if (!filled) return tell(filled.error());

  submit::Handover handover;
  handover.submission = &submission;
  handover.wait = request.wait;
  handover.header_changed =
      front::add_from(submission.message, person, request.sender, request.full_name);
  std::optional<front::Progress> progress;
  if (request.verbose) {
    handover.trace = [](std::string_view line) { say(std::string(line) + "\n"); };
  } else if (!request.quiet && front::Progress::wanted(submission.message.bytes.size_bytes())) {
    progress.emplace();
    handover.trace = [&progress](std::string_view line) { progress->show(line); };
  }
  const base::Result<submit::Outcome> outcome = front::hand_in(handover, person);
  progress.reset();
  if (!outcome) return tell(outcome.error());
  if (outcome->exit == 0) return 0;
  return request.quiet ? outcome->exit : complain(outcome->text, outcome->exit);
}

// -bv: what would become of a message; nothing is read or sent.
int verify(const cli::Request& request) {
  const cli::Person person = cli::person_of(getuid());
  mail::Submission submission;
  submission.id = base::random_hex(16);
  submission.asked_account = request.account;
  base::Done filled = fill_envelope(request, person, {}, submission.envelope);
  if (!filled) return complain(filled.error());
  submit::Handover handover;
  handover.submission = &submission;
  handover.verify = true;
  handover.trace = [](std::string_view line) { say(std::string(line) + "\n"); };
  const base::Result<submit::Outcome> outcome = front::hand_in(handover, person);
  if (!outcome) return complain(outcome.error());
  return outcome->exit == 0 ? 0 : complain(outcome->text, outcome->exit);
}

int of_queue(const base::Result<std::string>& answer) {
  if (!answer) return complain(answer.error());
  say(*answer);
  return 0;
}

// A command line that cannot be obeyed. Who asks for SMTP (-bs) waits for a greeting before it says
// a word: it is answered at once, in SMTP, and with nothing on standard error (R12).
int refuse(const base::Error& error, int argc, char** argv) {
  const bool smtp = cli::asks_for_smtp(argc, argv);
  if (smtp) say("554 5.3.3 " + report::tell(error) + "\r\n");
  mail::drain(STDIN_FILENO);
  return smtp ? report::exit_code(error.fault) : complain(error);
}

int run(int argc, char** argv, bool input_closed) {
  base::Result<cli::Request> request = cli::parse_argv(argc, argv);
  if (!request) return refuse(request.error(), argc, argv);
  // R15: what was meant as mail is never answered with 0 because another mode stands beside it.
  const bool meant_as_mail = request->recipients_from_header || !request->operands.empty();
  if (request->mode == cli::Mode::speak_smtp) return front::speak_smtp(meant_as_mail);
  const bool mail_is_due = request->mode == cli::Mode::deliver ||
                           (request->mode == cli::Mode::verify && !request->recipients_from_header);
  if (!mail_is_due && meant_as_mail) {
    mail::drain(STDIN_FILENO);
    return complain(base::failure(base::Fault::usage,
                                  "recipients or -t beside an option that sends nothing",
                                  "leave out one of them; see sendmail(8)"));
  }
  switch (request->mode) {
    case cli::Mode::show_version:
      say("mailbearer " MAILBEARER_VERSION "\n");
      return 0;
    case cli::Mode::show_help:
      say(cli::usage_text());
      return 0;
    case cli::Mode::rebuild:
      return 0;  // the alias file is read as it is: there is nothing to build
    case cli::Mode::run_queue:
      return of_queue(front::run_queue());
    case cli::Mode::list_queue:
      return of_queue(front::list_queue());
    case cli::Mode::verify:
    case cli::Mode::speak_smtp:
    case cli::Mode::deliver:
      break;
  }
  if (!request->recipients_from_header && request->operands.empty()) {
    if (isatty(STDIN_FILENO)) say(cli::usage_text());
    mail::drain(STDIN_FILENO);
    return complain(base::failure(base::Fault::usage, "no recipient given",
                                  "name recipients, or use -t to take them from the header"));
  }
  return request->mode == cli::Mode::verify ? verify(*request) : deliver(*request, input_closed);
}

}  // namespace

int main(int argc, char** argv) {
  const bool input_closed = base::settle_process();
  return run(argc, argv, input_closed);
}
