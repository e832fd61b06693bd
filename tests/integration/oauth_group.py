"""Group oauth: `mailbearer login` against a real OAuth server that is not ours (provider.py), a real browser
(chromium.py), and mail delivered through Postfix and Dovecot, which ask that server about every token.
"""

import os
import pathlib
import re
import subprocess

import bench
import processes
import provider as oauth
from canaries import Canaries
from chromium import Chromium
from oauth_desk import Desk

DELIVERED = r"Delivered: test message accepted as <[^<>\s]+>\n"
LANDED = "document.title.startsWith('The sign-in page has answered')"


def run(stand, checks):
    checks.group("oauth")
    with Canaries(stand.programs) as canaries:
        desk = Desk(stand, canaries)
        certificate = own_certificate(desk, checks)
        rig = stand.rig
        with oauth.Provider(rig.certificates.good, rig.certificates.authority, certificate) as provider, \
                Chromium(desk.folder / "chromium", rig.certificates.good) as chromium:
            desk.provider = provider
            rig.identity.other_judge = lambda token: judged(provider.introspect(token))
            try:
                for part in (by_browser, by_paste, by_device, by_secret, by_certificate, rotation, logout, revoked, held):
                    try:
                        part(desk, chromium, checks)
                    except (RuntimeError, OSError) as fault:
                        checks.check(f"{part.__name__} came to its end", [str(fault), *provider.refused[-3:]])
            finally:
                rig.identity.other_judge = None
                desk.end()
            secrets = [provider.secret, *provider.issued]
    nowhere(desk, canaries, secrets, checks)


def nowhere(desk, canaries, secrets, checks):
    # The browser's own folder is a person's; `opened` has the address, with state and challenge and no credential.
    folders = [desk.stand.rig.folder, f"/run/user/{os.getuid()}/mailbearer", *pathlib.Path("/tmp").glob("mailbearer*")]
    faults = canaries.faults(secrets, folders, [desk.folder / "chromium"])
    missing = {"mailbearer", "mailbearer-agent", "mailbearer-helper", "sendmail"} - canaries.processes
    faults += [f"{name} was not seen running" for name in sorted(missing)]
    if len(secrets) < 15:
        faults.append(f"only {len(secrets)} credentials were given out")
    checks.check("no credential in any file, output, argv or environment", faults)
    # That the search can find: what it looks for is there when somebody writes it down.
    mark = desk.folder / "written-down"
    mark.write_text(f"AUTH {secrets[1]}")
    checks.check("the search finds one that is written down", bool(canaries.faults(secrets[:2], [desk.folder])))
    mark.unlink()


MAILBOXES = {oauth.APP: "app@example.org", oauth.ROBOT: "robot@example.org"}


def judged(answer):
    """Dovecot wants to know whose mailbox it is; of an application only its id is said."""
    return {**answer, "username": answer.get("sub") or MAILBOXES.get(answer.get("client_id"), "")}


def own_certificate(desk, checks):
    code, said = desk.call("certificate", "robot", "--user")
    file = desk.folder / "robot.pem"
    checks.check("certificate: made, with what to upload", code == 0 and "BEGIN CERTIFICATE" in said and file.exists())
    return file


def sign_in_page(page, user):
    """The person at the server's pages: the name, a password, and consent."""
    page.wait("document.querySelector('input[name=login]')")
    page.run(f"document.querySelector('input[name=login]').value = '{user}';"
             "document.querySelector('input[name=password]').value = 'any';"
             "document.querySelector('button[type=submit]').click()")
    page.wait("document.querySelector('input[name=prompt][value=consent]')")
    page.run("document.querySelector('button[type=submit]').click()")


def signed_in(checks, name, outcome, desk, user):
    """One delivery: the test message of `login` to the person itself."""
    code, said = outcome
    faults = [] if code == 0 and re.search(DELIVERED + r"\Z", said) else [f"exit code {code}: {said[-400:]}"]
    delivery = desk.stand.rig.sink.take("starttls.rig", 15) if code == 0 else None
    if code == 0 and (delivery is None or delivery.sender != user):
        faults.append(f"what arrived: {delivery}")
    if delivery and f"sasl_username={user}" not in desk.stand.rig.postfix.log_of(delivery.queue_id):
        faults.append("Postfix did not see the person")
    checks.check(name, faults + (desk.provider.refused[-3:] if faults else []))


def sent(desk, user, more=None):
    outcome = desk.send(user, more)
    if outcome.code:
        return [f"exit code {outcome.code}: {outcome.line()[-400:]}", *desk.provider.refused[-2:]]
    return [] if desk.stand.rig.sink.take("starttls.rig", 15) else ["exit code 0, but nothing arrived"]


PERSON = ("--client-id", oauth.CLIENT)
SCOPE = "openid email offline_access smtp"


def through_the_browser(desk, chromium, user, *words, more=None):
    """`login` starts the browser, the person signs in there, and lands at us: the page, and what `login` came to."""
    desk.opened.unlink(missing_ok=True)
    login = desk.start(*words, "--browser", more={"BROWSER": str(desk.browser), **(more or {})})
    if not bench.wait_until(desk.opened.exists, 20):
        login.process.kill()
        raise RuntimeError(f"no browser was started: {login.said}")
    page = chromium.page()
    page.open(desk.opened.read_text())
    sign_in_page(page, user)
    page.wait(LANDED)
    return page, login.end()


def by_browser(desk, chromium, checks):
    user = "desk@example.org"
    page, outcome = through_the_browser(
        desk, chromium, user, *desk.words(user, SCOPE, *PERSON, "--name", "desk"))
    signed_in(checks, "browser: from the server's login page to a delivered message", outcome, desk, user)
    landing = page.run("location.href")
    ours = [url for url in page.asked if url.startswith("http://localhost:")]
    faults = [] if ours == [landing] else [f"asked for {ours}"]
    # Behind the landing page nothing may come, wherever it leads.
    faults += [f"then asked for {url}" for url in page.asked[page.asked.index(landing) + 1:]] if landing in page.asked else []
    if page.run("document.querySelectorAll('script,link,img,iframe,style,form').length") != 0:
        faults.append("there is more on it than text")
    checks.check("browser: the landing page loads nothing", faults)
    text = page.text()
    checks.check("browser: the landing page says what happened",
                 [] if "look there for the result" in text and "You may close this window" in text else [text])
    headers = page.answers.get(landing, {})
    wanted = {"content-security-policy": "default-src 'none'", "cache-control": "no-store", "referrer-policy": "no-referrer",
              "x-content-type-options": "nosniff", "x-frame-options": "DENY"}
    checks.check("browser: the landing page's headers",
                 [f"{name}: {headers.get(name)}" for name, value in wanted.items() if value not in headers.get(name, "")])
    checks.check("browser: a message by the stored credential", sent(desk, user))


def by_paste(desk, chromium, checks):
    """The browser is on another machine: its last page fails to load, and the address is what is pasted."""
    user = "ssh@example.org"
    login = desk.start(*desk.words(user, SCOPE, *PERSON, "--name", "ssh", "--paste"))
    url = login.expect(r"(https://localhost\S+)\n").group(1)
    page = chromium.page()
    # "Another machine": what our port is there does not answer.
    page.call("Network.setBlockedURLs", urls=["http://localhost:*"])
    page.open(url)
    sign_in_page(page, user)
    page.wait_for_address("http://localhost:")
    last = next(one for one in reversed(page.asked) if one.startswith("http://localhost:"))
    signed_in(checks, "paste: the last page's address, pasted", login.end(last.encode() + b"\n"), desk, user)
    checks.check("paste: a message by the stored credential", sent(desk, user))


def by_device(desk, chromium, checks):
    user = "device@example.org"
    login = desk.start(*desk.words(user, SCOPE, *PERSON, "--name", "device", "--device"))
    url, code = login.expect(r"Open:  (\S+)\n  Code:  (\S+)\n").groups()
    page = chromium.page()
    page.open(url)
    page.wait("document.querySelector('input[name=user_code]')")
    page.run(f"document.querySelector('input[name=user_code]').value = '{code}'; document.querySelector('button[type=submit]').click()")
    page.wait("document.querySelector('button[type=submit]') && !document.querySelector('input[name=user_code][type=text]')")
    page.run("document.querySelector('button[type=submit]').click()")
    sign_in_page(page, user)
    page.wait("/sign-in success/i.test(document.body.innerText)")
    signed_in(checks, "device code", login.end(), desk, user)
    checks.check("device code: a message by the stored credential", sent(desk, user))


def by_secret(desk, _, checks):
    user = MAILBOXES[oauth.APP]
    words = desk.words(user, "smtp", "--app", "--client-id", oauth.APP, "--name", "app", "--secret-stdin")
    code, said = desk.call(*words, data=b"not-the-secret\n")
    checks.check("client secret: a wrong one is refused and nothing is written",
                 [] if code == 78 and "[account app]" not in desk.config.read_text() else [f"exit code {code}: {said}"])
    signed_in(checks, "client secret", desk.call(*words, data=desk.provider.secret.encode() + b"\n"), desk, user)
    checks.check("client secret: a message by the stored credential", sent(desk, user))


def by_certificate(desk, _, checks):
    user = MAILBOXES[oauth.ROBOT]
    words = desk.words(user, "smtp", "--app", "--client-id", oauth.ROBOT, "--name", "robot", "--certificate")
    outcome = desk.call(*words, desk.folder / "robot.pem")
    signed_in(checks, "certificate", outcome, desk, user)
    mine = [one for one in desk.provider.granted if one["client"] == oauth.ROBOT]
    checks.check("certificate: the server has verified a PS256 assertion",
                 bool(mine) and all(one["method"] == "private_key_jwt" for one in mine))
    checks.check("certificate: a message by the stored credential", sent(desk, user))
    desk.call("certificate", "stranger", "--user")
    code, said = desk.call(*desk.words(user, "smtp", "--app", "--client-id", oauth.ROBOT, "--name", "other", "--certificate"),
                           desk.folder / "stranger.pem")
    checks.check("certificate: one that the server does not know is refused",
                 [] if code == 78 and "[account other]" not in desk.config.read_text() else [f"exit code {code}: {said}"])


def refreshes(desk):
    return sum(one["granted"] == "refresh_token" for one in desk.provider.granted)


def rotation(desk, _, checks):
    """A refresh token that comes twice ends the whole grant at this server: three in a row prove that each was kept."""
    before = refreshes(desk)
    faults = []
    for _turn in range(3):
        desk.forget_access_tokens()
        faults += sent(desk, "desk@example.org")
    if refreshes(desk) != before + 3:
        faults.append(f"{refreshes(desk) - before} refreshes for three messages")
    checks.check("refresh: three in a row, each with the token that the last one gave", faults)


def logout(desk, _, checks):
    before = desk.provider.withdrawn
    code, said = desk.call("logout", "ssh")
    checks.check("logout", [] if code == 0 else [f"exit code {code}: {said}"])
    checks.check("logout: the server was told", bench.wait_until(lambda: desk.provider.withdrawn == before + 1, 5))
    left = [path.name for path in desk.keyring.iterdir() if path.name.startswith(("refresh-token-ssh", "access-token-ssh"))]
    outcome = desk.send("ssh@example.org")
    checks.check("logout: nothing is stored", [*left, *([] if outcome.code == 78 else [f"exit code {outcome.code}"])])


def revoked(desk, chromium, checks):
    user = "desk@example.org"
    text = desk.config.read_text()
    desk.provider.revoke_everything()
    desk.forget_access_tokens()
    outcome = desk.send(user)
    checks.check("revoked: 78, and what to type",
                 [] if outcome.code == 78 and "run: mailbearer login desk" in outcome.line() else [f"{outcome.code}: {outcome.line()[-400:]}"])
    _, ended = through_the_browser(desk, chromium, user, "login", "desk", "--if-needed")
    signed_in(checks, "revoked: login again", ended, desk, user)
    checks.check("revoked: the configuration is as it was", desk.config.read_text() == text)
    checks.check("revoked, signed in again: a message", sent(desk, user))


def held(desk, chromium, checks):
    """With a standing agent and its queue: what was held while nobody could sign in leaves when somebody has."""
    user = "desk@example.org"
    queued = desk.folder / "queued.conf"
    queued.touch(mode=0o600)
    queued.write_text(desk.config.read_text().replace("[account desk]\n", "[account desk]\ndelivery = queue\n"))
    socket = desk.folder / "submit.sock"
    more = {"MAILBEARER_CONFIG": str(queued), "MAILBEARER_SOCKET": str(socket)}
    log = desk.folder / "agent.log"
    with open(log, "wb") as said:
        agent = subprocess.Popen(
            [desk.stand.programs / "mailbearer-agent", "--foreground", "--listen", socket, "--control",
             desk.folder / "control.sock", "--spool", desk.folder / "queue", "--config", queued],
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=desk.environment(more), cwd="/")
    try:
        bench.wait_until(socket.exists, 20)
        desk.provider.revoke_everything()
        desk.forget_access_tokens()
        outcome = desk.send(user, more)
        checks.check("held: the message is taken", [] if outcome.code == 0 else [f"{outcome.code}: {outcome.line()}"])

        def is_held():
            return b"mailbearer login desk" in subprocess.run(
                [desk.stand.programs / "mailbearer", "queue", "list", "--json"], env=desk.environment(more),
                stdin=subprocess.DEVNULL, capture_output=True, timeout=30).stdout
        faults = [] if bench.wait_until(is_held, 30) else [desk.call("queue", "list", "--json", more=more)[1], log.read_text()[-600:]]
        checks.check("held: the queue says which command releases it", faults)
        _, ended = through_the_browser(desk, chromium, user, "login", "desk", "--no-test", more=more)
        arrived = desk.stand.rig.sink.take("starttls.rig", 30)
        checks.check("held: login releases it", [] if ended[0] == 0 and arrived and arrived.addresses() == ["bob@example.org"]
                     else [str(ended)[-400:], str(arrived and arrived.addresses()), log.read_text()[-600:]])
    finally:
        processes.stop_tree(agent)
