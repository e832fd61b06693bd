// setup: how a program that sends mail finds us: the exact settings, with the path of our sendmail.
// --apply writes them where that is safe: git by git itself, php by a file of its own in conf.d.
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "verb/call.h"
#include "verb/console.h"
#include "verb/place.h"
#include "verb/run_program.h"

namespace verb {

namespace {

using base::Fault;

// Under its usual name, if that is ours; else by our own.
std::string sendmail_path() {
  const std::string folder = base::program_folder();
  for (const std::string& path : {folder + "/mailbearer-sendmail", folder + "/sendmail"}) {
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return std::string(MAILBEARER_BIN) + "/mailbearer-sendmail";
}

std::string git_text(const std::string& sendmail) {
  return "git send-email, in ~/.gitconfig:\n\n  [sendemail]\n      sendmailCmd = " + sendmail +
         "\n      envelopeSender = auto\n\nor: git config --global sendemail.sendmailCmd " +
         sendmail +
         " && git config --global sendemail.envelopeSender auto\n\n"
         "envelopeSender = auto hands over the author's address, by which the account is chosen.\n"
         "Take away smtpServer, smtpUser, smtpPass and smtpEncryption, which are no longer read.\n";
}

std::string mutt_text(const std::string& sendmail) {
  return "mutt and neomutt, in ~/.muttrc or ~/.config/neomutt/neomuttrc:\n\n  set sendmail = \"" +
         sendmail +
         " -oi\"\n  set use_from = yes\n  set use_envelope_from = yes\n  unset smtp_url\n\n"
         "The account is chosen by the address in From. set sendmail_wait = 0 waits for the "
         "provider\'s\n"
         "answer, and shows it where the message was not taken.\n";
}

std::string php_text(const std::string& sendmail) {
  return "PHP's mail(), in php.ini or a file of its own in conf.d:\n\n  sendmail_path = \"" +
         sendmail +
         " -t -i\"\n\nPHP runs as www-data or as the pool's user, so the account belongs to the "
         "host: sudo mailbearer login\n"
         "--system. It is tested by: sudo -u www-data php -r 'var_dump(mail(\"you@example.org\", "
         "\"test\", "
         "\"hello\"));'\n";
}

std::string symfony_text(const std::string& sendmail) {
  return "Symfony Mailer (and Laravel's sendmail transport), in .env:\n\n  "
         "MAILER_DSN=sendmail://default?command=" +
         base::percent_encode(sendmail + " -t -i", "-._~/") +
         "\n\n-t hands the whole message over by a pipe; the default of Symfony, -bs, speaks SMTP "
         "to the same\n"
         "program.\n";
}

std::string django_text(const std::string& sendmail) {
  return "Django has no backend for sendmail of its own. Either the package "
         "django-sendmail-backend, in\n"
         "settings.py:\n\n  EMAIL_BACKEND = \"django_sendmail_backend.backends.EmailBackend\"\n\n"
         "which calls " +
         sendmail +
         " by its name sendmail; or SMTP to the port of the host's agent (listen_tcp in\n"
         "mailbearer.conf(5)):\n\n  EMAIL_HOST = \"127.0.0.1\"\n  EMAIL_PORT = 2525\n";
}

std::string cron_text(const std::string& sendmail) {
  return "cron (Debian's, cronie, systemd-cron) calls /usr/sbin/sendmail. Either make that ours "
         "(make\n"
         "install-mta, or the package), or start cron with: -m \"" +
         sendmail +
         " -t\" (cronie only).\n\nThe mail is from and to a local name. In "
         "/etc/mailbearer/mailbearer.conf:\n\n"
         "  [mailbearer]\n  local_mail_to = you@example.org\n\nThe account rewrites the sender by "
         "itself "
         "(rewrite_from = auto).\n";
}

struct Program {
  const char* name;
  std::string (*text)(const std::string& sendmail);
};
constexpr Program programs[] = {{"git", git_text},       {"mutt", mutt_text},
                                {"php", php_text},       {"symfony", symfony_text},
                                {"django", django_text}, {"cron", cron_text}};

base::Done apply_git(const Place& place, const std::string& sendmail) {
  const cli::Desk desk = cli::read_desk();
  const std::string git = find_program("git", desk.path.empty() ? "/usr/bin" : desk.path);
  if (git.empty()) return base::failure(Fault::unavailable, "git is not installed");
  const bool system = place.paths.profile == account::Profile::system;
  const std::pair<const char*, std::string> settings[] = {{"sendemail.sendmailCmd", sendmail},
                                                          {"sendemail.envelopeSender", "auto"}};
  for (const auto& [key, value] : settings) {
    const base::Result<Ended> ended =
        run_program({git, "config", system ? "--system" : "--global", key, value},
                    cli::whole_environment(), {}, base::Deadline::after_ms(10'000));
    if (!ended) return ended.error();
    if (ended->code != 0) {
      return base::failure(Fault::cannot_create,
                           "git config failed: " + base::clean(ended->err, 300));
    }
    tell(std::string("git config --") + (system ? "system " : "global ") + key + " " + value +
         "\n");
  }
  return base::done();
}

// One file for each folder of PHP's that is read for the web server, a pool or the command line.
base::Done apply_php(const std::string& sendmail) {
  const std::string text =
      "; Made by: mailbearer setup php --apply\nsendmail_path = \"" + sendmail + " -t -i\"\n";
  bool any = false;
  for (const char* version : {"7.4", "8.0", "8.1", "8.2", "8.3", "8.4", "8.5"}) {
    for (const char* kind : {"cli", "fpm", "apache2", "cgi"}) {
      const std::string folder = std::string("/etc/php/") + version + "/" + kind + "/conf.d";
      if (access(folder.c_str(), F_OK) != 0) continue;
      const std::string file = folder + "/99-mailbearer.ini";
      base::Done written = base::replace_file(file, text, 0644);
      if (!written) return written;
      tell("Written: " + file + "\n");
      any = true;
    }
  }
  if (any) {
    tell("Restart what runs PHP: systemctl restart apache2, or php8.2-fpm.\n");
    return base::done();
  }
  return base::failure(Fault::unavailable, "no folder of PHP's is below /etc/php",
                       "put the setting into php.ini: mailbearer setup php");
}

int apply(const Place& place, const std::string& program) {
  if (program == "git") {
    const base::Done applied = apply_git(place, sendmail_path());
    return applied ? 0 : complain(applied.error());
  }
  if (program == "php") {
    const base::Done applied = apply_php(sendmail_path());
    return applied ? 0 : complain(applied.error());
  }
  return complain(base::failure(
      Fault::usage,
      "--apply is for git and php; " + program + " keeps its settings among others of yours",
      "see: mailbearer setup " + program));
}

}  // namespace

int setup(const Call& call) {
  const Place place(call.command);
  const std::string name = call.operand(0);
  std::vector<std::string> known;
  for (const Program& program : programs) {
    known.emplace_back(program.name);
    if (program.name != name) continue;
    return call.command.has("--apply") ? apply(place, name) : say(program.text(sendmail_path()));
  }
  const std::string near = base::nearest(name, known);
  return complain(base::failure(
      Fault::usage, "nothing is known of `" + base::clean(name, 60) + "`",
      near.empty() ? "use git, mutt, php, symfony, django or cron" : "did you mean " + near + "?"));
}

}  // namespace verb
