"""mailbearer login where something stands in the way: another login, a folder that takes nothing, a person who gives up."""

import os

from desk import Desk
from rig import holds, matches, same

URL = r"(https://\S+/authorize\?\S+)"


def test_login_does_not_take_the_name_that_another_login_took_meanwhile(case):
    box = case.box()
    desk = Desk(case, box)
    first = desk.terminal("login", "me@sandbox.example")
    second = desk.terminal("login", "noreply@sandbox.example")
    first_url, second_url = first.expect(URL).group(1), second.expect(URL).group(1)
    desk.browse(first_url)
    same(first.ended(), 0, first.shown)
    before = desk.files()
    desk.browse(second_url, user="noreply@sandbox.example")
    same(second.ended(), 78, second.shown)
    matches(second.shown, "account sandbox was added by somebody else meanwhile; run it again, and add --name NAME")
    same(desk.files(), before, "the other login's account or credential was touched")
    sent = desk.call("-i", "ann@example.org", data=b"Subject: x\n\ny\n", program="sendmail")
    same((sent.code, sent.err), (0, ""))


def test_login_asks_nobody_to_sign_in_for_what_cannot_be_written_down(case):
    box = case.box()
    desk = Desk(case, box)
    folder = desk.config.parent
    folder.mkdir(parents=True)
    for each in (folder.parent, folder):
        os.chown(each, desk.uid, desk.uid)
    folder.chmod(0o500)
    terminal = desk.terminal("login", "me@sandbox.example")
    same(terminal.ended(), 73, terminal.shown)
    matches(terminal.shown, f"cannot write in {folder}: Permission denied; make it writable")
    holds("https://" not in terminal.shown, "somebody was sent to sign in")
    same(desk.files(), {}, "something was written")


def test_login_given_up_while_a_secret_is_typed_leaves_the_terminal_as_it_was(case):
    box = case.box()
    desk = Desk(case, box)
    terminal = desk.terminal("login", "noreply@sandbox.example", "--app", "--client-id",
                             box.app(public=False)["client_id"], "--secret-stdin")
    terminal.expect("it does not show")
    holds(not terminal.echoes(), "what is typed shows")
    terminal.interrupt()
    same(terminal.ended(), -2, terminal.shown)
    holds(terminal.echoes(), "the terminal is not as it was")


def test_login_by_a_certificate_names_what_is_wrong_with_it(case):
    box = case.box()
    desk = Desk(case, box)
    words = ["login", "noreply@sandbox.example", "--client-id", box.app(public=False)["client_id"]]
    result = desk.call(*words, "--certificate", "site.pem")
    same(result.code, 78, repr(result))
    matches(result.err, "app_certificate = site.pem")
    holds("secret" not in result.err, f"it asks for a secret: {result.err}")
