"""mailbearer login: from nothing to a delivered message, at a terminal and in scripts."""

import re

from desk import Desk
from rig import matches, same, holds

URL = r"(https://\S+/authorize\?\S+)"
DELIVERED = r"Delivered: test message accepted as <[^<>\s]+>\n"


def test_login_from_an_empty_home_to_a_delivered_message_in_one_command(case):
    box = case.box()
    desk = Desk(case, box)
    terminal = desk.terminal("login", "me@sandbox.example")
    url = terminal.expect(URL).group(1)
    terminal.expect("Paste it here")
    matches(desk.browse(url), "look there for the result")
    terminal.expect(DELIVERED)
    same(terminal.ended(), 0, terminal.shown)
    same(desk.text(), "[mailbearer]\ndefault = sandbox\n\n[account sandbox]\nprovider = sandbox\n"
                      "user = me@sandbox.example\nkeyring = file\n")
    same(box.mail().recipients, ["me@sandbox.example"])
    # And what was stored serves any program from now on.
    sent = desk.call("-i", "ann@example.org", data=b"Subject: x\n\ny\n", program="sendmail")
    same((sent.code, sent.err), (0, ""))
    same(len(box.mails()), 2)


def test_login_by_paste_takes_the_last_address(case):
    box = case.box()
    desk = Desk(case, box)
    terminal = desk.terminal("login", "me@sandbox.example", "--paste", environment={"SSH_CONNECTION": "1 2 3 4"})
    url = terminal.expect(URL).group(1)
    terminal.expect("Paste it here")
    holds(not terminal.echoes(), "what is pasted shows")
    terminal.type(url + "\n")
    terminal.expect("Paste it here")
    location = desk.answer_page(url)
    terminal.type(location + "\n")
    terminal.expect(DELIVERED)
    same(terminal.ended(), 0, terminal.shown)
    holds(terminal.echoes(), "the terminal is not as it was")
    code = re.search(r"code=([^&]+)", location).group(1)
    holds(code not in terminal.shown, "the code stands on the screen")


def test_login_by_device_code(case):
    box = case.box("--device-interval", "1")
    desk = Desk(case, box)
    terminal = desk.terminal("login", "me@sandbox.example", "--device")
    code = terminal.expect(r"Code:  (\S+)").group(1)
    box.control("device", user_code=code, user="me@sandbox.example")
    terminal.expect(DELIVERED)
    same(terminal.ended(), 0, terminal.shown)


def test_login_in_a_script_asks_nothing_and_names_the_missing_option(case):
    box = case.box()
    desk = Desk(case, box)
    result = desk.call("login")
    same(result.code, 64, repr(result))
    matches(result.err, "mail address is not given, and there is no terminal to ask on; add the address: mailbearer login ADDRESS")
    result = desk.call("login", "ann@example.invalid")
    same(result.code, 64 if "add --provider" in result.err else 69, repr(result))
    matches(result.err, "--provider NAME")
    result = desk.call("login", "ann@example.invalid", "--provider", "microsoft")
    same(result.code, 64, repr(result))
    matches(result.err, "client id is not given.*add --client-id ID")
    matches(result.err, "az ad app create .*258f6531-6087-4cc4-bb90-092c5fb3ed3f")
    same(desk.files(), {}, "something was written")


def test_login_of_an_app_by_its_secret_in_a_script_and_again(case):
    box = case.box()
    desk = Desk(case, box)
    app = box.app(public=False)
    words = ["login", "noreply@sandbox.example", "--app", "--client-id", app["client_id"], "--name", "site"]
    first = desk.call(*words, "--secret-stdin", data=app["secret"].encode() + b"\n")
    same(first.code, 0, repr(first))
    matches(first.out, "^" + DELIVERED + "$")
    holds(app["secret"] not in first.err + first.out, "the secret is shown")
    holds(not [name for name, data in desk.files().items() if app["secret"].encode() in data], "the secret lies open")
    before = desk.text()
    stamp = desk.config.stat().st_mtime_ns
    second = desk.call(*words)
    same(second.code, 0, repr(second))
    same((desk.text(), desk.config.stat().st_mtime_ns), (before, stamp), "a second run wrote something")
    same(len(box.mails()), 2)
    third = desk.call(*words, "--if-needed")
    same((third.code, third.out), (0, ""), repr(third))
    same((desk.text(), len(box.mails())), (before, 2), "it was not left alone")


def test_login_of_an_app_with_a_wrong_secret_leaves_nothing(case):
    box = case.box()
    desk = Desk(case, box)
    result = desk.call("login", "noreply@sandbox.example", "--app", "--client-id", box.app(public=False)["client_id"],
                       "--secret-stdin", data=b"wrong\n")
    same(result.code, 78, repr(result))
    holds(not desk.config.exists(), "a section was written")
    holds(not [name for name in desk.files() if "client-secret" in name], f"a secret was kept: {list(desk.files())}")


def test_login_of_an_app_by_its_certificate(case):
    box = case.box()
    desk = Desk(case, box)
    made = desk.call("certificate", "site")
    same(made.code, 0, repr(made))
    pem = re.search(r"-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----\n", made.out, re.S).group(0)
    holds("PRIVATE KEY" not in made.out, "the key is shown")
    client_id = box.app(public=False)["client_id"]
    box.control("certificate", client_id=client_id, pem=pem)
    file = desk.config.parent / "site.pem"
    result = desk.call("login", "noreply@sandbox.example", "--client-id", client_id, "--name", "site",
                       "--certificate", str(file))
    same(result.code, 0, repr(result))
    matches(result.out, DELIVERED)
    again = desk.call("certificate", "site")
    holds(again.code != 0, "a key in use was replaced")


def test_login_as_somebody_else_is_noticed(case):
    box = case.box()
    desk = Desk(case, box)
    terminal = desk.terminal("login", "me@sandbox.example")
    url = terminal.expect(URL).group(1)
    desk.browse(url, user="noreply@sandbox.example")
    terminal.expect("You signed in as noreply@sandbox.example, but the account's user is me@sandbox.example")
    terminal.expect("Number")
    terminal.type("3\n")
    same(terminal.ended(), 78, terminal.shown)
    same(desk.files(), {}, "something was kept")


def test_login_to_a_shared_mailbox(case):
    box = case.box()
    desk = Desk(case, box)
    terminal = desk.terminal("login", "shared@sandbox.example")
    url = terminal.expect(URL).group(1)
    desk.browse(url, user="me@sandbox.example")
    terminal.expect("Number")
    terminal.type("1\n")
    terminal.expect(DELIVERED)
    same(terminal.ended(), 0, terminal.shown)
    matches(desk.text(), "auth_user = shared@sandbox.example\n")
    same(box.mail().user, "shared@sandbox.example")


def test_login_interrupted_leaves_nothing_and_the_terminal_as_it_was(case):
    box = case.box()
    desk = Desk(case, box)
    terminal = desk.terminal("login", "me@sandbox.example")
    terminal.expect("Paste it here")
    terminal.interrupt()
    same(terminal.ended(), -2, terminal.shown)
    holds(terminal.echoes(), "the terminal is not as it was")
    same(desk.files(), {}, "something was written")


def test_login_of_a_dead_token_releases_the_account(case):
    box = case.box()
    desk = Desk(case, box)
    terminal = desk.terminal("login", "me@sandbox.example")
    desk.browse(terminal.expect(URL).group(1))
    same(terminal.ended(), 0, terminal.shown)
    box.control("revoke", what="all", user="me@sandbox.example")
    held = desk.call("-i", "ann@example.org", data=b"Subject: x\n\ny\n", program="sendmail")
    same(held.code, 78, repr(held))
    matches(held.err, r"run: mailbearer login sandbox")
    before = desk.text()
    needed = desk.terminal("login", "sandbox", "--if-needed")
    desk.browse(needed.expect(URL).group(1))
    needed.expect(DELIVERED)
    same(needed.ended(), 0, needed.shown)
    same(desk.text(), before, "the section was written again")
    sent = desk.call("-i", "ann@example.org", data=b"Subject: x\n\ny\n", program="sendmail")
    same((sent.code, sent.err), (0, ""))


def test_login_goes_on_by_graph_where_smtp_sign_in_is_off(case):
    box = case.box()
    desk = Desk(case, box)
    box.control("smtp-auth", enabled=False)
    terminal = desk.terminal("login", "me@sandbox.example")
    desk.browse(terminal.expect(URL).group(1))
    terminal.expect("Send by Microsoft Graph instead")
    terminal.type("y\n")
    desk.browse(terminal.expect(URL).group(1))
    terminal.expect(DELIVERED)
    same(terminal.ended(), 0, terminal.shown)
    matches(desk.text(), "transport = graph\n")
    same(box.mail().recipients, ["me@sandbox.example"])


def test_login_of_a_new_app_keeps_trying(case):
    box = case.box()
    desk = Desk(case, box)
    app = box.app(public=False)
    box.control("fault", stage="auth", reply="535 5.7.3 Authentication unsuccessful [X.PROD.OUTLOOK.COM]", times=2)
    result = desk.call("login", "noreply@sandbox.example", "--app", "--client-id", app["client_id"], "--secret-stdin",
                       "--wait", "5m", data=app["secret"].encode())
    same(result.code, 0, repr(result))
    matches(result.err, "takes some minutes.*Trying again, up to 5 minutes")
    matches(result.out, DELIVERED)


def test_login_without_test_says_that_sending_is_not_proved(case):
    box = case.box("--replace-message-id")
    desk = Desk(case, box)
    app = box.app(public=False)
    result = desk.call("login", "noreply@sandbox.example", "--app", "--client-id", app["client_id"], "--secret-stdin",
                       "--no-test", data=app["secret"].encode())
    same((result.code, result.out), (0, "Signed in; sending not proved, run: mailbearer test sandbox\n"), repr(result))
    same(box.mails(), [])
    tested = desk.call("test", "sandbox", "--to", "me@sandbox.example")
    matches(tested.out, r"^Delivered: test message accepted as <\S+@SANDBOX0001\.sandbox\.example>\n$")
    same(box.mail().recipients, ["me@sandbox.example"])


def test_login_keeps_the_rest_of_the_configuration_byte_for_byte(case):
    box = case.box()
    desk = Desk(case, box)
    desk.config.parent.mkdir(parents=True)
    other = "# mine\r\n[mailbearer]\r\n  domain = example.org ; so\r\n\r\n[account other]\r\nprovider=smtp\r\n" \
            "user : x@example.org\r\nsmtp_host = 127.0.0.1\r\nauth = plain\r\n# the end"
    desk.config.write_bytes(other.encode())
    import os
    for path in (desk.config, desk.config.parent, desk.config.parent.parent):
        os.chown(path, desk.uid, desk.uid)
    terminal = desk.terminal("login", "me@sandbox.example")
    desk.browse(terminal.expect(URL).group(1))
    same(terminal.ended(), 0, terminal.shown)
    same(desk.config.read_bytes().decode(),
         other + "\r\n\r\n[account sandbox]\r\nprovider = sandbox\r\nuser = me@sandbox.example\r\nkeyring = file\r\n")


def test_login_prints_what_the_administrator_has_to_do(case):
    box = case.box()
    desk = Desk(case, box)
    result = desk.call("login", "noreply@contoso.example", "--provider", "microsoft", "--app", "--client-id", "abc", "--tenant",
                       "contoso.example", "--print-admin-request")
    same((result.code, result.err), (0, ""), repr(result))
    for word in ("Application id: abc", "New-ServicePrincipal -AppId abc", '-Role "Application SMTP.SendAsApp"',
                 "PrimarySmtpAddress -eq 'noreply@contoso.example'", "Add-MailboxPermission -Identity noreply@contoso.example"):
        holds(word in result.out, f"{word!r} is missing in\n{result.out}")
    same(desk.files(), {}, "something was written")


def test_login_refused_for_want_of_consent_shows_the_same_text(case):
    box = case.box()
    desk = Desk(case, box)
    box.control("fault", stage="token", error="invalid_grant", code=65001, description="The user has not consented")
    terminal = desk.terminal("login", "me@sandbox.example")
    desk.browse(terminal.expect(URL).group(1))
    terminal.expect("The organisation's administrator has to act first")
    terminal.expect("adminconsent\\?client_id=")
    same(terminal.ended(), 78, terminal.shown)
    same(desk.files(), {}, "something was written")


def normalised(shown):
    """A transcript without what differs from one run to the next."""
    shown = re.sub(r"https://127\.0\.0\.1:\d+/\S+/authorize\?\S+", "https://login.example/authorize?...", shown)
    shown = re.sub(r"-L \d+:", "-L PORT:", shown)
    shown = re.sub(r"localhost:\d+", "localhost:PORT", shown)
    shown = re.sub(r"/tmp/mailbearer-e2e-\w+/home", "/home/ann", shown)
    return re.sub(r"accepted as <[^>]+>", "accepted as <...>", shown).replace(": \n", ":\n").strip("\n")


def test_login_reads_as_the_readme_shows_it(case):
    import pathlib

    box = case.box()
    desk = Desk(case, box)
    terminal = desk.terminal("login", "me@sandbox.example")
    desk.browse(terminal.expect(URL).group(1))
    same(terminal.ended(), 0, terminal.shown)
    readme = (pathlib.Path(__file__).resolve().parents[2] / "README.md").read_text()
    shown = re.search(r"    \$ mailbearer login me@sandbox\.example\n((?:    .*\n|\n)+)", readme).group(1)
    wanted = re.sub(r"^    ", "", shown, flags=re.M).strip("\n")
    same(normalised(terminal.shown), wanted, "the README shows another transcript")


def test_login_finds_the_provider_by_the_mail_exchanger(case):
    from name_server import NameServer

    box = case.box()
    desk = Desk(case, box)
    desk.etc.write("mailbearer/providers.conf", desk.providers("mx = *.mail.sandbox.example\n"))
    server = NameServer({"contoso.example": [(20, "other.example"), (10, "MX1.mail.sandbox.example")]})
    case.at_end(server.close)
    desk.etc.write("resolv.conf", f"nameserver {server.address}\n")
    result = desk.call("login", "ann@contoso.example", "--print-admin-request")
    same((result.code, result.err), (0, ""), repr(result))
    matches(result.out, "Organisation:   sandbox.example")
    unknown = desk.call("login", "ann@nowhere.example")
    same(unknown.code, 69, repr(unknown))
    matches(unknown.err, r"who takes mail for nowhere\.example \(no such domain\); name the provider: --provider NAME")
    same(desk.files(), {})


def test_login_with_a_password_that_the_server_refuses_leaves_nothing(case):
    box = case.box()
    desk = Desk(case, box)
    result = desk.call("login", "me@sandbox.example", "--app-password", "--set", "auth=login", "--secret-stdin", data=b"wrong\n")
    same(result.code, 78, repr(result))
    matches(result.err, r'\[server: "535')
    holds(not desk.config.exists(), "a section was written")
    holds(not [name for name in desk.files() if "password" in name], f"a password was kept: {list(desk.files())}")


def test_login_as_root_starts_no_browser_but_one_that_is_named(case):
    box = case.box()
    desk = Desk(case, box)
    desk.uid = 0
    mark = case.folder / "started"
    browser = case.folder / "browser"
    browser.write_text(f"#!/bin/sh\necho \"$1\" >{mark}.part; mv {mark}.part {mark}\n")
    browser.chmod(0o755)
    config = {"MAILBEARER_CONFIG": str(case.folder / "root.conf")}
    words = ["login", "me@sandbox.example", "--browser", "--set", f"keyring_dir={case.folder}/keyring"]
    terminal = desk.terminal(*words, environment={**config, "DISPLAY": ":9"})
    terminal.expect("no browser is started as root")
    terminal.interrupt()
    terminal.ended()
    terminal = desk.terminal(*words, environment={**config, "BROWSER": f"/nonexistent:{browser} %s"})
    url = terminal.expect(URL).group(1)
    case.wait_for(mark.exists, "the browser")
    same(mark.read_text().strip(), url)
    desk.browse(url)
    terminal.expect(DELIVERED)
    same(terminal.ended(), 0, terminal.shown)
