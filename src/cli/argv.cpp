#include "cli/argv.h"

#include <string_view>
#include <utility>

#include "base/text.h"
#include "cli/argv_table.h"

namespace cli {

using base::Done;
using base::done;
using base::failure;
using base::Fault;

namespace {

constexpr const char* see_manual = "see sendmail(8)";

base::Error usage(std::string cause, std::string cure = see_manual) {
  return failure(Fault::usage, std::move(cause), std::move(cure));
}

std::string shown(const std::string& text) {
  return base::clean(text, 60);
}

// What the arguments have said so far, and where we are in them.
class Parser {
 public:
  Parser(int argc, const char* const* argv) {
    for (int i = 1; i < argc; ++i) arguments_.emplace_back(argv[i]);
  }

  base::Result<Request> parse(const std::string& program) {
    request_.any_argument = !arguments_.empty();
    Done named = take_program_name(program);
    if (!named) return std::move(named).error();
    while (at_ < arguments_.size()) {
      Done taken = take_one();
      if (!taken) return std::move(taken).error();
    }
    return std::move(request_);
  }

 private:
  // R8: the name we were called by chooses the mode; unknown names are sendmail.
  Done take_program_name(const std::string& program) {
    const std::string name = program.substr(program.rfind('/') + 1);
    if (name == "mailq") request_.mode = Mode::list_queue;
    if (name == "newaliases") request_.mode = Mode::rebuild;
    if (name == "runq") request_.mode = Mode::run_queue;
    if (name == "hoststat" || name == "purgestat") return usage(name + " has nothing to show here");
    if (name == "smtpd") return usage("this is not a daemon", "see mailbearer-agent(8)");
    return done();
  }

  Done take_one() {
    const std::string argument = arguments_[at_++];
    if (options_ended_) return take_operand(argument);
    if (argument == "--") {
      options_ended_ = true;
      return done();
    }
    if (argument == "-") return usage("a lone - is no recipient");
    if (argument.starts_with("--")) return take_long(argument.substr(2));
    if (argument.starts_with("-")) return take_cluster(argument);
    return take_operand(argument);
  }

  // D2: an option behind a recipient is refused rather than mailed to or obeyed.
  Done take_operand(const std::string& argument) {
    if (argument.empty()) return usage("empty recipient");
    request_.operands.push_back(argument);
    if (options_ended_) return done();
    for (std::size_t i = at_; i < arguments_.size(); ++i) {
      if (arguments_[i] == "--") break;
      if (arguments_[i].starts_with("-")) {
        return usage("option " + shown(arguments_[i]) + " after a recipient",
                     "put options first, and -- before recipients that begin with -");
      }
    }
    return done();
  }

  Done take_long(const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    if (name == "version") {
      request_.mode = Mode::show_version;
      return done();
    }
    if (name == "help") {
      request_.mode = Mode::show_help;
      return done();
    }
    // Emacs users carry this over from msmtp; the header From is read anyway.
    if (name == "read-envelope-from") return done();
    if (name == "wait") {
      request_.wait = true;
      return done();
    }
    if (name != "account") return refuse_long(name);
    std::string value;
    if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else {
      if (at_ == arguments_.size()) return usage("option --account needs a name");
      value = arguments_[at_++];
    }
    return take_account(value);
  }

  static Done refuse_long(const std::string& name) {
    const std::string near = base::nearest(name, {"account", "wait", "version", "help"});
    return usage("unknown option --" + shown(name) + (near.empty() ? "" : " (--" + near + "?)"));
  }

  // "-ti", "-fuser", "-oem": flags up to the first letter that takes a value.
  Done take_cluster(const std::string& argument) {
    for (std::size_t i = 1; i < argument.size(); ++i) {
      const char letter = argument[i];
      const OptionRow* row = find_option(letter);
      if (row == nullptr) {
        return usage("unknown option -" + shown(std::string(1, letter)) +
                     (i > 1 ? " in " + shown(argument) : ""));
      }
      if (row->takes == Takes::nothing) {
        Done obeyed = obey(*row, {});
        if (!obeyed) return obeyed;
        continue;
      }
      std::string value = argument.substr(i + 1);
      if (row->takes == Takes::value && value.empty()) {
        if (at_ == arguments_.size()) {
          return usage(std::string("option -") + letter + " needs a value");
        }
        value = arguments_[at_++];
      }
      return obey(*row, value);
    }
    return done();
  }

  Done obey(const OptionRow& row, const std::string& value) {
    switch (row.deed) {
      case Deed::account:
        return take_account(value);
      case Deed::body:
        return take_body(value);
      case Deed::mode:
        return take_mode(value);
      case Deed::error_mode:
        return take_error_mode(value);
      case Deed::full_name:
        request_.full_name = value;
        return done();
      case Deed::sender:
        return take_sender(value);
      case Deed::dots_kept:
        request_.dots = mail::Dots::kept;
        return done();
      case Deed::notify:
        return take_notify(value);
      case Deed::long_option:
        return take_long_option(value);
      case Deed::short_option:
        return take_short_option(value);
      case Deed::return_part:
        return take_return(value);
      case Deed::from_header:
        request_.recipients_from_header = true;
        return done();
      case Deed::envelope_id:
        return take_envelope_id(value);
      case Deed::verbose:
        request_.verbose = true;
        return done();
      case Deed::queue_run:
        request_.mode = Mode::run_queue;
        return done();
      case Deed::rebuild:
        request_.mode = Mode::rebuild;
        return done();
      case Deed::ignore:
        return done();
      case Deed::refuse:
        return usage(std::string("option -") + row.letter + " is refused: it " + row.why);
    }
    return done();
  }

  Done take_account(const std::string& name) {
    if (name.empty() || base::has_control(name)) return usage("an account needs a name");
    if (request_.account.empty()) request_.account = name;
    return done();
  }

  Done take_body(const std::string& value) {
    if (base::same_ignoring_case(value, "7bit")) {
      request_.body = mail::Body::seven_bit;
    } else if (base::same_ignoring_case(value, "8bitmime")) {
      request_.body = mail::Body::eight_bit;
    } else {
      return usage("-B takes 7BIT or 8BITMIME, not " + shown(value));
    }
    return done();
  }

  Done take_mode(const std::string& value) {
    const char letter = value.size() == 1 ? value[0] : '\0';
    switch (letter) {
      case 'm':
        request_.mode = Mode::deliver;
        return done();
      case 's':
        request_.mode = Mode::speak_smtp;
        return done();
      case 'v':
        request_.mode = Mode::verify;
        return done();
      case 'p':
        request_.mode = Mode::list_queue;
        return done();
      case 'i':
        request_.mode = Mode::rebuild;
        return done();
      default:
        break;
    }
    const char* why = refused_mode(letter);
    return usage("mode -b" + shown(value) + " is refused" +
                 (why == nullptr ? std::string() : std::string(": ") + why));
  }

  // Without a queue there is nobody to mail an error to: the exit code always tells (facts 3.10).
  Done take_error_mode(const std::string& value) {
    if (value == "q") request_.quiet = true;
    return done();
  }

  Done take_sender(const std::string& value) {
    base::Result<mail::Mailbox> sender = mail::parse_reverse_path(value);
    if (!sender) return std::move(sender).error();
    request_.sender = std::move(*sender);
    return done();
  }

  // RFC 3461 4.1. A bad value is ignored: notices are a courtesy, the mail is not.
  Done take_notify(const std::string& value) {
    if (base::has_control(value)) return usage("-N holds a control character");
    std::string notify;
    for (const std::string_view piece : base::split(value, ',')) {
      const std::string word = base::lower(base::trim(piece));
      if (word == "never" && notify.empty() && value.find(',') == std::string::npos) {
        notify = "NEVER";
      } else if (word == "success" || word == "failure" || word == "delay") {
        notify += notify.empty() ? "" : ",";
        notify += word == "success" ? "SUCCESS" : word == "failure" ? "FAILURE" : "DELAY";
      } else {
        return done();
      }
    }
    request_.notify = notify;
    return done();
  }

  Done take_return(const std::string& value) {
    if (base::has_control(value)) return usage("-R holds a control character");
    if (base::same_ignoring_case(value, "hdrs")) request_.ret = "HDRS";
    if (base::same_ignoring_case(value, "full")) request_.ret = "FULL";
    return done();
  }

  Done take_envelope_id(const std::string& value) {
    if (base::has_control(value)) return usage("-V holds a control character");
    if (mail::is_xtext(value) && value.size() <= 100) request_.envid = value;
    return done();
  }

  // -O Name=Value: only what has a meaning here; never anything that names a file.
  Done take_long_option(const std::string& value) {
    const std::size_t equals = value.find('=');
    if (equals == std::string::npos) return done();
    const std::string name = value.substr(0, equals);
    const std::string setting = value.substr(equals + 1);
    if (base::same_ignoring_case(name, "IgnoreDots") && is_yes(setting)) {
      request_.dots = mail::Dots::kept;
    }
    if (base::same_ignoring_case(name, "ErrorMode")) return take_error_mode(setting);
    return done();
  }

  static bool is_yes(const std::string& setting) {
    return setting.empty() || base::to_lower(setting[0]) == 't' ||
           base::to_lower(setting[0]) == 'y';
  }

  Done take_short_option(const std::string& value) {
    if (value.empty()) return done();  // -o ''
    std::string setting = value.substr(1);
    if (setting.starts_with("=")) setting.erase(0, 1);
    if (value[0] == 'i' && is_yes(setting)) request_.dots = mail::Dots::kept;
    if (value[0] == 'e') return take_error_mode(setting);
    return done();
  }

  std::vector<std::string> arguments_;
  std::size_t at_ = 0;
  bool options_ended_ = false;
  Request request_;
};

}  // namespace

base::Result<Request> parse_argv(int argc, const char* const* argv) {
  // argc may be 0: execve with an empty vector.
  const std::string program = argc > 0 && argv[0] != nullptr ? argv[0] : "sendmail";
  return Parser(argc, argv).parse(program);
}

bool asks_for_smtp(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word(argv[i]);
    if (word == "-bs" || (word == "-b" && i + 1 < argc && std::string_view(argv[i + 1]) == "s")) {
      return true;
    }
    if (word == "--") return false;
  }
  return false;
}

std::string usage_text() {
  return "usage: sendmail [-t] [-i] [-f SENDER] [-F NAME] [-a ACCOUNT] [-v] [--] [RECIPIENT ...]\n"
         "Reads an RFC 5322 message from standard input and delivers it by OAuth.\n"
         "All options: sendmail(8). Accounts: mailbearer(1).\n";
}

}  // namespace cli
