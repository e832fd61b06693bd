"""The real callers: how each is made to send to one address. A row's function runs the program inside the private host
(callers_host.py) and returns how it ended; `ok` and `failed` say what its caller must see then.
"""

import dataclasses
import re
import typing

from callers_host import SENDER, Ended

BODY = "l1\n.\n..x\nFrom here\n\u00fc\u00df end\n"
ROWS = []


@dataclasses.dataclass
class Row:
    name: str
    run: typing.Callable
    sender: str = SENDER
    recipients: tuple = ()  # beside the address of the state
    count: int = 1  # messages
    body: str = ""  # what the decoded body holds
    subject: str = ""
    ok: typing.Callable = lambda ended: ended.code == 0
    failed: typing.Callable = lambda ended, code: ended.code != 0


def caller(name, **facts):
    def mark(function):
        ROWS.append(Row(name, function, **facts))
        return function

    return mark


def silent(ended):
    return ended.code == 0 and not ended.text


def says_why(ended, code):
    """The caller fails, and the person who reads its output finds our sentence."""
    return ended.code != 0 and "sendmail: not sent (work): " in ended.text


def number(ended, code):
    return says_why(ended, code) and (ended.code == code or re.search(rf"\b{code}\b", ended.text) is not None)


def nobody_reads(ended, code):
    return True


# --- PHP

def php(host, code, to, **more):
    return host.run(["php", "-r", code.replace("TO", to)], **more)


@caller("PHP mail(), body in CRLF", subject="S\u00fcbj", body="l1\n.\n..x", recipients=("hidden@example.org",), ok=silent, failed=says_why)
def php_crlf(host, to):
    return php(host, 'exit(mail("TO", "S\u00fcbj", "l1\\r\\n.\\r\\n..x\\r\\n", "From: mailer@example.org\\r\\nBcc: hidden@example.org\\r\\nX-A: 1") ? 0 : 1);', to)


@caller("PHP mail(), body and headers in LF", subject="s", body="l1\n.\n..x", ok=silent, failed=says_why)
def php_lf(host, to):
    return php(host, 'exit(mail("TO", "s", "l1\\n.\\n..x\\n", "From: mailer@example.org\\nX-A: 1") ? 0 : 1);', to)


@caller("PHP mail(), 5th parameter, headers as array", sender="bounce@example.org", subject="s", body="l1", ok=silent, failed=says_why)
def php_fifth(host, to):
    return php(host, 'exit(mail("TO", "s", "l1", ["From" => "mailer@example.org", "Reply-To" => "a@example.org", "X-A" => "1"], "-fbounce@example.org") ? 0 : 1);', to)


PHPMAILER = """require "/usr/share/php/libphp-phpmailer/autoload.php";
$m = new PHPMailer\\PHPMailer\\PHPMailer(true); $m->%s(); $m->CharSet = "UTF-8";
$m->setFrom("mailer@example.org", "Zo\u00eb"); $m->Sender = "bounce@example.org"; $m->addAddress("TO"); $m->addBCC("hidden@example.org");
$m->Subject = "S\u00fcbj"; $m->Body = "l1\\n.\\n..x\\n";
try { $m->send(); } catch (Exception $e) { fwrite(STDERR, $e->getMessage()); exit(1); }"""


@caller("PHPMailer isMail()", sender="bounce@example.org", subject="S\u00fcbj", body="l1\n.\n..x", recipients=("hidden@example.org",), ok=silent,
        failed=says_why)
def phpmailer_mail(host, to):
    return php(host, PHPMAILER % "isMail", to)


@caller("PHPMailer isSendmail()", sender="bounce@example.org", subject="S\u00fcbj", body="l1\n.\n..x", recipients=("hidden@example.org",), ok=silent,
        failed=says_why)
def phpmailer_sendmail(host, to):
    return php(host, PHPMAILER % "isSendmail", to)


SYMFONY = """require "/usr/share/php/Symfony/Component/Mailer/autoload.php";
$m = new Symfony\\Component\\Mailer\\Mailer(Symfony\\Component\\Mailer\\Transport::fromDsn("%s"));
$e = (new Symfony\\Component\\Mime\\Email())->from("mailer@example.org")->to("TO")->bcc("hidden@example.org")
  ->subject("S\u00fcbj")->text("l1\\n.\\n..x\\n");
for ($i = 0; $i < %d; $i++) try { $m->send($e); } catch (Throwable $t) { fwrite(STDERR, $t->getMessage()); $bad = 1; }
exit($bad ?? 0);"""


def smtp_says_why(ended, code):
    return ended.code != 0 and "not sent (work): " in ended.text


@caller("Symfony Mailer, sendmail -bs, two messages", count=2, subject="S\u00fcbj", body="l1\n.\n..x", recipients=("hidden@example.org",), ok=silent,
        failed=lambda ended, code: smtp_says_why(ended, code) and ('code "554"' if code == 67 else 'code "451"') in ended.text)
def symfony_bs(host, to):
    return php(host, SYMFONY % ("sendmail://default", 2), to)


@caller("Symfony Mailer, sendmail -t", subject="S\u00fcbj", body="l1\n.\n..x", recipients=("hidden@example.org",), ok=silent, failed=number)
def symfony_t(host, to):
    return php(host, SYMFONY % ("sendmail://default?command=/usr/sbin/sendmail%20-t", 1), to)


@caller("Symfony Mailer, sendmail -oi -t", subject="S\u00fcbj", body="l1\n.\n..x", recipients=("hidden@example.org",), ok=silent, failed=number)
def symfony_oi_t(host, to):
    return php(host, SYMFONY % ("sendmail://default?command=/usr/sbin/sendmail%20-oi%20-t", 1), to)


# --- What people write with

@caller("git send-email, cover letter and two patches", count=3, subject="[PATCH", body="", ok=lambda e: e.code == 0 and e.text.count("Result: OK") == 3,
        failed=says_why)
def git_send_email(host, to):
    script = f"""set -e
rm -rf repo; git init -q repo; cd repo
export GIT_AUTHOR_NAME='Zo\u00eb Example' GIT_AUTHOR_EMAIL=zoe@example.org GIT_COMMITTER_NAME=Me GIT_COMMITTER_EMAIL={SENDER}
git commit -q --allow-empty -m base
for n in 1 2; do printf 'l%s\\n.\\n' $n >f$n; git add f$n; git commit -q -m "Add f$n \u00fc"; done
git format-patch -q --cover-letter --subject-prefix=PATCH -2 -o out
sed -i 's/\\*\\*\\* SUBJECT HERE \\*\\*\\*/series/; s/\\*\\*\\* BLURB HERE \\*\\*\\*/blurb/' out/0000*
git send-email --quiet --confirm=never --from='Me <{SENDER}>' --to={to} --suppress-cc=all --no-chain-reply-to out/*.patch 2>&1
for n in 1 2 3; do echo 'Result: OK'; done"""
    return host.run(["sh", "-c", script], user="alice")


def mutt_like(program):
    def run(host, to):
        return host.run([program, "-n", "-F", "/dev/null", "-e", f"set from={SENDER} realname='Zo\u00eb' use_envelope_from=yes copy=no send_charset=utf-8",
                         "-s", "S\u00fcbj", "-b", "hidden@example.org", "--", to], BODY, user="alice")

    return run


caller("mutt", subject="S\u00fcbj", body=BODY, recipients=("hidden@example.org",), failed=lambda e, c: number(e, c) and "Error sending" in e.text)(mutt_like("mutt"))
caller("neomutt", subject="S\u00fcbj", body=BODY, recipients=("hidden@example.org",), failed=lambda e, c: e.code != 0)(mutt_like("neomutt"))


@caller("s-nail", subject="S\u00fcbj", body=BODY, failed=lambda e, c: e.code == 4 and says_why(e, c))
def s_nail(host, to):
    return host.run(["s-nail", "-n", "-S", "sendwait", "-S", "ttycharset=UTF-8", "-S", "mta=/usr/sbin/sendmail", "-s", "S\u00fcbj", "-r", SENDER, to], BODY, user="alice")


@caller("bsd-mailx", subject="S\u00fcbj", body=BODY, failed=says_why)
def bsd_mailx(host, to):
    return host.run(["bsd-mailx", "-n", "-s", "S\u00fcbj", "-r", SENDER, to], BODY, user="alice")


@caller("GNU mailutils mail", subject="subj", body="l1\n.\n..x", failed=lambda e, c: e.code != 0)
def mailutils(host, to):
    return host.run(["mail.mailutils", "-n", "-s", "subj", "-r", SENDER, to], "l1\n.\n..x\n", user="alice")


EMACS = """(progn (require 'message) (setq user-mail-address "mailer@example.org" user-full-name "Zo\u00eb Me"
  message-send-mail-function 'message-send-mail-with-sendmail)
  (condition-case e (progn (message-mail "TO" "S\u00fcbj") (message-goto-bcc) (insert "hidden@example.org") (message-goto-body)
  (insert "l1\\n.\\n..x\\nFrom y \u00e9\\n") (set-buffer-modified-p t) (message-send) (message "was sent"))
  (error (message "FAILED %s" (error-message-string e)) (kill-emacs 1))))"""


@caller("Emacs message.el in batch mode", subject="S\u00fcbj", body="l1\n.\n..x\nFrom y \u00e9", recipients=("hidden@example.org",),
        ok=lambda e: e.code == 0 and "was sent" in e.text)
def emacs(host, to):
    return host.run(["emacs", "-Q", "--batch", "--eval", EMACS.replace("TO", to)], user="alice")


# --- Libraries

@caller("Perl Email::Sender", subject="s", body="l1\n.\n..x", recipients=("two@example.org",), ok=silent, failed=lambda e, c: says_why(e, c))
def email_sender(host, to):
    return host.run(["perl", "-MEmail::Sender::Simple=sendmail", "-MEmail::Sender::Transport::Sendmail", "-e",
                     'sendmail("To: $ARGV[0]\\nFrom: mailer\\@example.org\\nSubject: s\\nBcc: leaked\\@example.org\\n\\nl1\\n.\\n..x\\n", '
                     '{from => "mailer\\@example.org", to => [$ARGV[0], "two\\@example.org"], transport => Email::Sender::Transport::Sendmail->new})',
                     to], user="alice")


@caller("Perl MIME::Lite", subject="s", body="l1\n.\n..x", recipients=("hidden@example.org",), failed=says_why)
def mime_lite(host, to):
    return host.run(["perl", "-MMIME::Lite", "-e",
                     'MIME::Lite->new(From => "mailer\\@example.org", To => $ARGV[0], Bcc => "hidden\\@example.org", Subject => "s", Data => "l1\\n.\\n..x\\n")->send or die',
                     to], user="alice")


@caller("Ruby mail", subject="S\u00fcbj", body="l1\n.\n..x", recipients=("hidden@example.org",), ok=silent, failed=lambda e, c: "not sent (work)" in e.text)
def ruby_mail(host, to):
    """Its version in Debian 12 does not look at the exit code: what a person sees is the line on standard error."""
    return host.run(["ruby", "-Ku", "-rmail", "-e", 'Mail.defaults { delivery_method :sendmail }\nto = ARGV[0]\n'
                     'Mail.deliver { from "mailer@example.org"; to to; bcc "hidden@example.org"; subject "S\u00fcbj"; charset = "UTF-8"; body "l1\\n.\\n..x\\n" }', to],
                    user="alice")


@caller("nodemailer, sendmail transport", subject="S\u00fcbj", body="l1\n.\n..x", recipients=("hidden@example.org",),
        failed=lambda e, c: e.code == 1 and f"code {c}" in e.text)
def nodemailer(host, to):
    return host.run(["node", "-e", 'require("nodemailer").createTransport({sendmail: true, newline: "windows"}).sendMail({from: "mailer@example.org", '
                     f'to: "{to}", bcc: "hidden@example.org", subject: "S\u00fcbj", text: "l1\\n.\\n..x\\n"}}, e => {{ if (e) {{ console.log(e.message); process.exit(1); }} }})'],
                    user="alice", environment={"NODE_PATH": "/usr/share/nodejs:/usr/lib/nodejs"})

