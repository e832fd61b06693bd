"""accounts, test, doctor, certificate, setup and help: what they print, and that they change nothing they should not."""

import json
import os
import pathlib

from desk import Desk
from rig import holds, matches, same


def signed_in(case, box, *more):
    desk = Desk(case, box)
    app = box.app(public=False)
    result = desk.call("login", "noreply@sandbox.example", "--app", "--client-id", app["client_id"], "--secret-stdin",
                       "--no-test", *more, data=app["secret"].encode())
    same(result.code, 0, repr(result))
    return desk


def test_accounts_lists_them_for_people_and_programs(case):
    desk = signed_in(case, case.box())
    people = desk.call("accounts")
    matches(people.out, r"^\* sandbox +noreply@sandbox\.example +sandbox +smtp *\n$")
    programs = json.loads(desk.call("accounts", "--json").out)
    same([(one["name"], one["default"], one["user"], one["grant"]) for one in programs],
         [("sandbox", True, "noreply@sandbox.example", "app")])


def test_doctor_walks_to_the_sign_in_and_names_the_cure_where_it_stops(case):
    box = case.box()
    desk = signed_in(case, box)
    well = desk.call("doctor")
    same(well.code, 0, repr(well))
    for step in ("account", "credential", "token", "server", "sign-in"):
        matches(well.out, rf"  ok  {step} ")
    same(box.mails(), [], "a message was sent")
    box.control("smtp-auth", enabled=False)
    off = desk.call("doctor", "sandbox")
    same(off.code, 78, repr(off))
    matches(off.out, "  no  sign-in .*SMTP sign-in is off")
    matches(off.out, "--transport graph")
    told = json.loads(desk.call("doctor", "--json").out)
    same([step["ok"] for step in told[0]["steps"]], [True, True, True, True, False])
    box.control("secret", client_id=box.app(public=False)["client_id"], expired=True)
    for path in desk.keyring.glob("access-token*"):
        path.unlink()
    expired = desk.call("doctor")
    same(expired.code, 78, repr(expired))
    matches(expired.out, "  no  token .*AADSTS7000222")
    holds("server" not in expired.out.split("token")[1].split("[server:")[0], "it went on behind a failed step")


def test_test_tells_why_nothing_was_delivered(case):
    box = case.box()
    desk = signed_in(case, box)
    refused = desk.call("test", "--to", "fault+550-5.1.1@example.org")
    same((refused.code, refused.out), (67, ""), repr(refused))
    matches(refused.err, "^mailbearer: not sent ")


def test_setup_shows_settings_and_applies_them_for_git_alone(case):
    desk = Desk(case, case.box())
    for program in ("git", "mutt", "php", "symfony", "django", "cron"):
        shown = desk.call("setup", program)
        same(shown.code, 0, repr(shown))
        matches(shown.out, "/sendmail")
    same(desk.files(), {}, "something was written")
    applied = desk.call("setup", "git", "--apply")
    same(applied.code, 0, repr(applied))
    matches((desk.home / ".gitconfig").read_text(), r"sendmailCmd = .*/sendmail")
    before = (desk.home / ".gitconfig").read_text()
    desk.call("setup", "git", "--apply")
    same((desk.home / ".gitconfig").read_text(), before, "a second run changed something")
    refused = desk.call("setup", "mutt", "--apply")
    same(refused.code, 64, repr(refused))


def test_setup_php_apply_is_what_php_reads(case):
    box = case.box()
    desk = Desk(case, box)
    folder = pathlib.Path(desk.etc.folder) / "php/8.2/cli/conf.d"
    folder.mkdir(parents=True)
    desk.uid = 0
    applied = desk.call("setup", "php", "--apply")
    same(applied.code, 0, repr(applied))
    matches((folder / "99-mailbearer.ini").read_text(), 'sendmail_path = ".*/sendmail -t -i"')


def test_help_setup_is_the_documentation(case):
    desk = Desk(case, case.box())
    page = desk.call("help", "setup", "office365")
    same(page.code, 0, repr(page))
    documentation = pathlib.Path(__file__).resolve().parents[2] / "docs/setup-microsoft.md"
    same(page.out, documentation.read_text())
    same(desk.call("help", "setup", "microsoft-direct").code, 0)
    unknown = desk.call("help", "setup", "nobody")
    same(unknown.code, 64, repr(unknown))
    matches(unknown.err, "one of google, microsoft, microsoft-hve, microsoft-personal, microsoft-relay")


def test_login_of_the_host_is_roots(case):
    box = case.box()
    desk = Desk(case, box)
    refused = desk.call("login", "noreply@sandbox.example", "--system", "--app")
    same(refused.code, 77, repr(refused))
    matches(refused.err, "sudo mailbearer login --system")
    desk.uid = 0
    app = box.app(public=False)
    made = desk.call("login", "noreply@sandbox.example", "--system", "--app", "--client-id", app["client_id"],
                     "--set", "keyring_dir=/etc/mailbearer/keyring", "--secret-stdin", "--no-test", data=app["secret"].encode())
    same(made.code, 0, repr(made))
    config = pathlib.Path(desk.etc.folder) / "mailbearer/mailbearer.conf"
    same(oct(config.stat().st_mode & 0o7777), oct(0o644))
    matches(config.read_text(), r"\[account sandbox\]\nprovider = sandbox\n")
    same(os.stat(config).st_uid, 0)
