"""A hostile environment, a person's own profile, the host's profile (design section 2)."""

import os
import socket
import threading

from host import Etc
from rig import BODY, run


def test_variables_that_would_divert_or_spy_have_no_effect(case):
    box = case.box()
    me = case.person(box)
    trap = case.folder / "trap"
    trap.mkdir()
    trap.chmod(0o777)
    visited = []
    proxy = socket.socket()
    proxy.bind(("127.0.0.1", 0))
    proxy.listen()

    def answer():
        while True:
            try:
                connection, _ = proxy.accept()
            except OSError:
                return
            visited.append(1)
            connection.close()

    threading.Thread(target=answer, daemon=True).start()
    address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
    configuration = trap / "openssl.cnf"
    configuration.write_text("openssl_conf = init\n[init]\nengines = e\n[e]\nx = y\n[y]\ndynamic_path = /nowhere/evil.so\ninit = 1\n")
    empty = trap / "empty.pem"
    empty.write_text("")
    hostile = {
        "https_proxy": address, "HTTPS_PROXY": address, "http_proxy": address, "all_proxy": address, "ALL_PROXY": address,
        "SSLKEYLOGFILE": str(trap / "keys.log"), "SSL_CERT_FILE": str(empty), "SSL_CERT_DIR": str(trap),
        "CURL_CA_BUNDLE": str(empty), "CURL_HOME": str(trap), "OPENSSL_CONF": str(configuration), "OPENSSL_MODULES": str(trap),
        "OPENSSL_ENGINES": str(trap), "GCONV_PATH": str(trap), "HOME": str(trap), "XDG_CONFIG_HOME": str(trap),
        "XDG_RUNTIME_DIR": str(trap), "DBUS_SESSION_BUS_ADDRESS": f"unix:path={trap}/bus", "TMPDIR": str(trap),
        "MAIL": str(trap / "mbox"), "TZ": str(trap / "zone"), "LC_ALL": "tr_TR.UTF-8", "PATH": str(trap), "NETRC": str(trap / "netrc"),
    }
    (trap / ".curlrc").write_text(f"proxy = {address}\ninsecure\n")
    (trap / ".netrc").write_text("default login evil password evil\n")
    me.send("-i", "ann@example.org", text=BODY + "line\n" * 30000, environment=hostile).succeeded()
    proxy.close()
    case.same(len(box.mails()), 1)
    case.same(box.token_requests(), 1)
    case.same(visited, [], "a proxy variable was believed")
    case.same(sorted(path.name for path in trap.iterdir()), [".curlrc", ".netrc", "empty.pem", "openssl.cnf"])
    # A certificate file of the environment adds no trust either.
    stranger = case.person(box, name="stranger", account="ca_file =")
    result = stranger.send("-i", "ann@example.org",
                           environment={"SSL_CERT_FILE": box.ca_file, "CURL_CA_BUNDLE": box.ca_file})
    case.same(result.code, 69, repr(result))
    case.same(len(box.mails()), 1)


def test_a_zone_is_believed_a_path_is_not(case):
    box = case.box()
    me = case.person(box)
    me.send("-i", "ann@example.org", environment={"TZ": "UTC-5"}).succeeded()
    case.matches(box.mail().field("Date"), r"\+0500$")


def host_profile(case, box, etc, extra="agent = none"):
    """An /etc/mailbearer of the host with the account `site`."""
    keyring = case.folder / "host-keyring"
    secret = etc.folder / "mailbearer" / "secret"
    secret.write_text(box.app(public=False)["secret"])
    secret.chmod(0o600)
    keyring.mkdir(mode=0o700, exist_ok=True)
    section = box.account("site", keyring, "client_secret_file = /etc/mailbearer/secret")
    etc.write("mailbearer/mailbearer.conf", f"[mailbearer]\ndefault = site\nlocal_mail_to = ops@example.net\n{extra}\n{section}")


def test_the_host_s_profile_without_an_agent(case):
    box = case.box()
    etc = Etc(case)
    host_profile(case, box, etc)
    result = run([case.program("sendmail"), "-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root"],
                 b"From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@host> true\n\ndone\n", {"PATH": "/usr/bin:/bin"},
                 preexec=etc.preexec(cwd="/"))
    result.succeeded()
    mail = box.mail()
    case.same((mail.sender, mail.recipients), ("noreply@sandbox.example", ["ops@example.net"]))
    case.matches(mail.field("From"), "noreply@sandbox.example")
    case.matches(mail.field("From"), "Cron Daemon")


def test_the_host_s_profile_has_parts(case):
    box = case.box()
    etc = Etc(case)
    host_profile(case, box, etc)
    (etc.folder / "mailbearer" / "conf.d").mkdir()
    etc.write("mailbearer/conf.d/10-other.conf", "[mailbearer]\nunknwon = 1\n")
    result = run([case.program("sendmail"), "-i", "ann@example.org"], BODY.encode(), {}, preexec=etc.preexec())
    result.failed(78, r"not sent: /etc/mailbearer/conf\.d/10-other\.conf:2: unknown key `unknwon`.*")


def test_the_host_s_profile_without_agent_none(case):
    box = case.box()
    etc = Etc(case)
    host_profile(case, box, etc, "")
    result = run([case.program("sendmail"), "-i", "ann@example.org"], BODY.encode(), {}, preexec=etc.preexec())
    result.failed(69, r"not sent: the mailbearer agent does not answer; see: systemctl status mailbearer .*")
    case.same(box.count("smtp.connect"), 0)


def test_user_profiles_no_forbids_people_s_own_files(case):
    """The host's file decides: with an agent of its own nothing is sent, with agent = none its accounts serve."""
    box = case.box()
    me = case.person(box)
    etc = Etc(case)
    host_profile(case, box, etc, "user_profiles = no\n")
    result = run([case.program("sendmail"), "-i", "ann@example.org"], BODY.encode(), me.environment, preexec=etc.preexec())
    result.failed(69, r"not sent: the mailbearer agent does not answer; .*")
    case.same(box.count("smtp.connect"), 0)


def test_no_account_on_this_host(case):
    etc = Etc(case)
    result = run([case.program("sendmail"), "-i", "ann@example.org"], BODY.encode(), {}, preexec=etc.preexec())
    result.failed(78, r"not sent: no mail account on this host; run: sudo mailbearer login --system "
                      r"\(own account: mailbearer login\)")


def test_a_system_user_s_home_holds_no_profile(case):
    """www-data's home is a web server's: what lies there counts for nothing (uid below 1000)."""
    box = case.box()
    home = case.folder / "www"
    etc = Etc(case, [("web", 777, "", home)])
    (home / ".config" / "mailbearer").mkdir(parents=True)
    me = case.person(box, name="www/own", uid=777)
    me.config.rename(home / ".config" / "mailbearer" / "mailbearer.conf")
    for path in (home, home / ".config", home / ".config" / "mailbearer"):
        os.chown(path, 777, 777)
    result = run([case.program("sendmail"), "-i", "ann@example.org"], BODY.encode(), {"HOME": str(home)}, preexec=etc.preexec(777))
    result.failed(78, "not sent: no mail account on this host; .*")


def test_a_socket_of_somebody_else_or_of_nobody(case):
    box = case.box()
    me = case.person(box)
    path = case.folder / "nobody.sock"
    me.send("-i", "ann@example.org", environment={"MAILBEARER_SOCKET": str(path)}).failed(
        69, "not sent: the mailbearer agent does not answer .*; see: systemctl status mailbearer")
    case.same(box.count("smtp.connect"), 0)


def test_mailname_completes_senders(case):
    box = case.box()
    etc = Etc(case)
    host_profile(case, box, etc)
    etc.write("mailname", "mail.corp.example\n")
    run([case.program("sendmail"), "-i", "ann@example.org"], b"From: root\nTo: ann@example.org\nCc: alice\nSubject: s\n\nx\n", {},
        preexec=etc.preexec()).succeeded()
    case.same(box.mail().field("Cc"), "alice@mail.corp.example")


def test_a_container_with_secrets_as_files_and_no_place_for_a_keyring(case):
    """A uid without passwd entry and home; then a keyring folder that is somebody else's."""
    box = case.box()
    for name, keyring in (("none", ""), ("foreign", str(case.folder / "theirs"))):
        (case.folder / "theirs").mkdir(mode=0o700, exist_ok=True)
        me = case.person(box, name=name, uid=54321, secrets=False,
                         account=f"keyring_dir = {keyring}\nrefresh_token_file = {case.folder / name / 'token'}")
        token = case.folder / name / "token"
        token.write_text(box.refresh_token("me@sandbox.example"))
        me._own(token)
        me.send("-i", f"{name}@example.org").succeeded()
    case.same(len(box.mails()), 2)
