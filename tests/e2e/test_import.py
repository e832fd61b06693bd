"""mailbearer import: an msmtprc becomes our configuration, without its passwords, beside what is there already."""

from rig import Mismatch

MSMTPRC = """# of a person who reads two mailboxes
defaults
tls on
tls_trust_file CA
logfile ~/.msmtp.log

account relay
host 127.0.0.1
port 2525
tls off
auth off
from ops@sandbox.example

account work
host 127.0.0.1
port PORT
auth xoauth2
from me@sandbox.example
user me@sandbox.example
passwordeval "echo canary-in-a-command"
dsn_notify failure

account other : work
auth plain
password canary-in-the-file

account default : work
"""


def written(case, box, me):
    path = me.folder / "msmtprc"
    path.write_text(MSMTPRC.replace("CA", str(box.ca_file)).replace("PORT", str(box.smtp_port)))
    path.chmod(0o600)
    return path


def no_secret(*results):
    for result in results:
        if "canary" in result.out + result.err:
            raise Mismatch(f"a secret is shown: {result!r}")


def test_what_is_printed_is_a_configuration(case):
    box = case.box()
    me = case.person(box, name="me")
    path = written(case, box, me)
    before = me.config.read_text()
    shown = me.call("mailbearer", "import", "msmtp", path)
    case.same(shown.code, 0)
    case.same(me.config.read_text(), before, "nothing is written without --apply")
    for words in ("default = work", "[account other]", "; dsn_notify (line 21): ", "; next: mailbearer login work",
                  "; next: THAT COMMAND | mailbearer secret set other password", "smtp_tls = none"):
        if words not in shown.out:
            raise Mismatch(f"`{words}` is missing: {shown.out}")
    no_secret(shown)
    me.write_config(shown.out)
    checked = me.call("mailbearer", "config", "check")
    # What only a person knows is missing, and nothing else is wrong.
    for line in checked.err.splitlines():
        if "has no client_id" not in line and "has no token_endpoint" not in line and "has no scope" not in line:
            raise Mismatch(checked.err)


def test_applied_it_sends_after_the_sign_in(case):
    box = case.box()
    me = case.person(box, name="me", config="; mine\n[mailbearer]\ndefault = mine\n", secrets=False)
    path = written(case, box, me)
    applied = me.call("mailbearer", "import", "msmtp", path, "--apply")
    case.same(applied.code, 0, repr(applied))
    no_secret(applied)
    text = me.config.read_text()
    if not text.startswith("; mine\n[mailbearer]\ndefault = mine\n") or "default = work" in text:
        raise Mismatch(f"what was there was touched: {text}")
    if "canary" in text:
        raise Mismatch("a password is in the configuration")
    again = me.call("mailbearer", "import", "msmtp", path, "--apply")
    case.same(again.code, 78)
    if "account relay is in" not in again.err or me.config.read_text() != text:
        raise Mismatch(repr(again))
    sign_in = f"client_id = {box.app(public=True)['client_id']}\ntoken_endpoint = {box.token_endpoint}\n" \
              f"scope = https://outlook.office.com/SMTP.Send offline_access\nkeyring = file\nkeyring_dir = {me.keyring}\n"
    me.write_config(text.replace("default = mine", "default = work").replace("[account work]\n", "[account work]\n" + sign_in))
    me.set_secret("work", "refresh-token", box.secrets_of("work")["refresh-token"])
    me.send("-i", "ann@example.org").succeeded()
    case.same(len(box.mails()), 1)


def test_what_cannot_be_imported_is_named(case):
    box = case.box()
    me = case.person(box, name="me")
    broken = me.folder / "broken"
    broken.write_text("account a : b\n")
    for arguments, code, words in (
            (("import", "msmtp", broken), 78, f"{broken}:1: no account b stands above"),
            (("import", "msmtp", me.folder / "none"), 64, "cannot read"),
            (("import", "msmtp", me.folder), 64, ""),
            (("import", "postfix"), 64, "cannot import from postfix"),
            (("import",), 64, "usage: mailbearer import msmtp [FILE]")):
        said = me.call("mailbearer", *arguments)
        if words not in said.err or (said.code != code and words) or said.code == 0:
            raise Mismatch(f"{arguments}: {said!r}")
