"""Access tokens and secrets: obtained once, kept sealed, rotated, and what the caller hears when that fails (T1 to T8)."""

import json
import os
import subprocess
import time

from rig import BODY, Mismatch, end_process, weight


@weight(20)
def test_200_at_the_moment_of_expiry_ask_once(case):
    """The token that all of them find in the cache has just ended."""
    box = case.box()
    me = case.person(box)
    issued = box.control("issue", user="me@sandbox.example", client_id=box.app(public=True)["client_id"])
    box.token_fault(200, body=json.dumps({"token_type": "Bearer", "expires_in": 2, "access_token": issued["access_token"]}))
    me.send("-i", "first@example.org").succeeded()
    time.sleep(2.1)
    box.token_fault(delay_ms=300)
    processes = []
    message = case.folder / "message"
    message.write_text(BODY)
    for number in range(200):
        with open(message, "rb") as text:
            processes.append(subprocess.Popen(
                [case.program("sendmail"), "-i", f"r{number}@example.org"], env=me.environment, stdin=text,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        case.at_end(lambda process=processes[-1]: end_process(process))
    for number, process in enumerate(processes):
        code = process.wait(120)
        said = process.stdout.read() + process.stderr.read()
        case.same((code, said), (0, b""), f"process {number}")
    case.same(sorted(mail.recipients[0] for mail in box.mails()),
              sorted(["first@example.org"] + [f"r{n}@example.org" for n in range(200)]))
    case.same(box.token_requests(), 2, "one for the first, one for all others")


def test_a_cached_token_is_used_again(case):
    box = case.box()
    me = case.person(box)
    for _ in range(3):
        me.send("-i", "ann@example.org").succeeded()
    case.same(box.token_requests(), 1)
    case.same(me.forget_access_tokens() > 0, True, "the cache lies in the keyring's folder")
    me.send("-i", "ann@example.org").succeeded()
    case.same(box.token_requests(), 2)


def test_a_token_that_ends_soon_is_refreshed_before(case):
    box = case.box("--expires-in", "4")
    me = case.person(box)
    for _ in range(2):
        me.send("-i", "ann@example.org").succeeded()
    case.same(box.token_requests(), 1)
    # It has a second to live: less than a quarter of its life is no use.
    time.sleep(3.1)
    me.send("-i", "ann@example.org").succeeded()
    case.same(box.token_requests(), 2)
    case.same(box.count("smtp.auth.refused"), 0, "the old one was not offered")


def test_the_rotated_refresh_token_is_stored(case):
    box = case.box("--strict-rotation")
    me = case.person(box)
    for number in range(1, 4):
        me.send("-i", "ann@example.org").succeeded()
        case.same(box.count("token.refresh_token", outcome="ok"), number)
        me.forget_access_tokens()
    case.same(box.count("token.refresh_token") , 3)


def test_client_credentials(case):
    box = case.box()
    me = case.person(box, accounts={"site": ""})
    me.send("-i", "ann@example.org").succeeded()
    case.same(box.count("token.client_credentials", outcome="ok"), 1)
    case.same(box.mail().user, "noreply@sandbox.example")


def test_secrets_from_files(case):
    box = case.box()
    file = case.folder / "secret"
    file.write_text(box.app(public=False)["secret"] + "\n")
    file.chmod(0o600)
    me = case.person(box, accounts={"site": f"client_secret_file = {file}"}, secrets=False)
    me.send("-i", "ann@example.org").succeeded()
    link = case.folder / "link"
    link.symlink_to(file)
    linked = case.person(box, name="linked", accounts={"site": f"client_secret_file = {link}"}, secrets=False)
    linked.send("-i", "ann@example.org").succeeded()
    # What others may write is not believed; it is named, and nothing is sent.
    file.chmod(0o666)
    linked.forget_access_tokens()
    result = linked.send("-i", "ann@example.org")
    result.failed(78, r"not sent \(site\): .*" + r"link may be written by others; .*")
    case.same(len(box.mails()), 2)


def test_a_refresh_token_from_a_file(case):
    box = case.box()
    file = case.folder / "token"
    file.write_text(box.refresh_token("me@sandbox.example") + "\n")
    file.chmod(0o600)
    me = case.person(box, account=f"refresh_token_file = {file}", secrets=False)
    me.send("-i", "ann@example.org").succeeded()
    case.same(box.mail().user, "me@sandbox.example")


def test_T1_the_sign_in_service_says_invalid_grant(case):
    box = case.box()
    me = case.person(box)
    box.token_fault(400, error="invalid_grant", description="gone", times=3)
    result = me.send("-i", "ann@example.org")
    result.failed(78, r"not sent \(work\): sign-in expired or revoked \(invalid_grant\); run: mailbearer login work.*")


@weight(3)
def test_T3_network_4xx_429_and_5xx_of_the_token_endpoint(case):
    box = case.box()
    for number, (fault, pattern) in enumerate((
            ({"status": 503}, r"token endpoint answered 503; .*"),
            ({"status": 500, "body": "<html>oops</html>"}, r"token endpoint answered 500; .*"),
            ({"status": 429}, r"sign-in service asks for fewer requests \(429\); .*"),
            ({"status": 429, "retry_after": 20}, r"sign-in service asks for fewer requests \(429\); try again.*"),
            ({"status": 404, "body": "not here"}, r"token endpoint answered 404; .*"),
            ({"status": 403}, r"token endpoint answered 403; .*"),
            ({"action": "close"}, r".*"))):
        me = case.person(box, name=f"p{number}")
        box.token_fault(**{"times": 5, **fault})
        me.send("-i", "ann@example.org").failed(69, r"not sent \(work\): " + pattern)
        box.reset()
    case.same(box.mails(), [])


def test_T3_a_dead_port_behind_the_token_endpoint(case):
    box = case.box()
    me = case.person(box, account="token_endpoint = https://127.0.0.1:1/token")
    me.send("-i", "ann@example.org").failed(69, r"not sent \(work\): [^;]*(cannot reach|refused|connect)[^;]*; .*")


def test_T3_a_token_endpoint_that_hangs(case):
    box = case.box()
    me = case.person(box, account="timeout = 1s")
    box.token_fault(delay_ms=30000)
    result = me.send("-i", "ann@example.org")
    result.failed(69, r"not sent \(work\): .*")
    case.holds(result.seconds < 20, f"{result.seconds} s")


@weight(3)
def test_T4_answers_that_are_no_answers(case):
    box = case.box()
    good = '{"token_type":"Bearer","expires_in":3599,"access_token":"%s"}'
    bodies = {
        "no JSON": "token=1", "HTML": "<html>sign in to the hotel</html>", "empty": "{}", "a list": "[1]",
        "no token": '{"token_type":"Bearer","expires_in":3599}', "wrong type": '{"access_token":1,"expires_in":3599}',
        "control bytes": good % "a\\u0001auth=Bearer x", "line ends": good % "a\\r\\nRCPT TO:<x@y>", "blank": good % "a b",
        "too deep": "[" * 200000, "cut off": '{"access_token":"abc', "twice": '{"access_token":"a","access_token":"b","expires_in":9}',
    }
    for number, (what, body) in enumerate(bodies.items()):
        me = case.person(box, name=f"p{number}")
        box.token_fault(200, body=body, times=5)
        result = me.send("-i", "ann@example.org")
        case.same(result.code, 69, f"{what}: {result!r}")
        case.matches(result.err, r"^sendmail: not sent \(work\): [^\n]+\n$", what)
        box.reset()
    me = case.person(box, name="big")
    box.token_fault(200, body='{"access_token": "' + "x" * 1000, repeat=100000)
    me.send("-i", "ann@example.org").failed(69, r"not sent \(work\): .*")
    box.reset()
    me = case.person(box, name="elsewhere")
    other = case.box()
    box.token_fault(307, redirect=other.token_endpoint, times=5)
    result = me.send("-i", "ann@example.org")
    case.same(result.code, 69, repr(result))
    case.same(other.token_requests(), 0, "a refresh token followed a redirect")
    case.same(box.mails(), [])


def test_T8_the_wall_clock_of_the_server_does_not_matter(case):
    """expires_in alone counts: a token that says nothing of time is used."""
    box = case.box("--expires-in", "86400")
    me = case.person(box)
    me.send("-i", "ann@example.org").succeeded()
    me.send("-i", "ann@example.org").succeeded()
    case.same(box.token_requests(), 1)


def test_the_keyring_is_private_and_sealed(case):
    box = case.box()
    me = case.person(box)
    me.send("-i", "ann@example.org").succeeded()
    case.same(os.stat(me.keyring).st_mode & 0o077, 0)
    files = [path for path in me.keyring.rglob("*") if path.is_file()]
    case.holds({path.name.partition("-")[0] for path in files} >= {"refresh", "access"}, f"missing in the keyring: {files}")
    for path in files:
        case.same(os.stat(path).st_mode & 0o077, 0, str(path))
        content = path.read_bytes()
        for secret in box.secrets():
            case.holds(secret.encode() not in content, f"{path} holds a secret in the clear")


def test_a_credential_is_bound_to_its_account(case):
    box = case.box()
    me = case.person(box)
    me.send("-i", "ann@example.org").succeeded()
    before = me.config.read_text()
    for old, new in (("user = me@sandbox.example", "user = shared@sandbox.example"),
                     ("/oauth2/v2.0/token", "/oauth2/v2.0/token?")):
        me.write_config(before.replace(old, new))
        result = me.send("-i", "ann@example.org")
        case.same(result.code, 78, repr(result))
    me.write_config(before)
    me.send("-i", "ann@example.org").succeeded()


def test_a_keyring_that_others_may_write_or_that_is_damaged(case):
    box = case.box()
    me = case.person(box)
    me.keyring.chmod(0o777)
    result = me.send("-i", "ann@example.org")
    case.same(result.code, 78, repr(result))
    case.matches(result.err, "keyring")
    me.keyring.chmod(0o700)
    for path in me.keyring.iterdir():
        if path.name.startswith("refresh-token"):
            path.write_bytes(path.read_bytes()[:-3] + b"xyz")
    result = me.send("-i", "ann@example.org")
    case.same(result.code, 78, repr(result))
    case.same(box.mails(), [])


def test_secret_set_status_clear(case):
    box = case.box()
    me = case.person(box)
    status = me.call("mailbearer", "secret", "status", "work")
    case.same(status.code, 0, repr(status))
    case.matches(status.out, r"refresh-token +stored")
    for secret in box.secrets():
        case.holds(secret not in status.out + status.err, "a secret was shown")
    case.same(me.call("mailbearer", "secret", "clear", "work", "refresh-token").code, 0)
    case.matches(me.call("mailbearer", "secret", "status", "work").out, r"refresh-token +none")
    result = me.call("mailbearer", "secret", "set", "wrok", "refresh-token", data=b"x")
    case.same(result.code, 78, repr(result))
    case.matches(result.err, "did you mean work")
    result = me.call("mailbearer", "secret", "set", "work", "refresh-tokn", data=b"x")
    case.same(result.code, 64, repr(result))
    result = me.call("mailbearer", "secret", "set", "work", "refresh-token", data=b"")
    case.same(result.code, 65, repr(result))


def test_no_secret_is_said_or_left_anywhere(case):
    """Canaries: what the sandbox gave out is found nowhere but where it belongs."""
    box = case.box("--strict-rotation")
    me = case.person(box)
    said = ""
    for arguments in (("-v", "-i", "ann@example.org"), ("-v", "-i", "fault+550-5.1.1@example.org"), ("-i", "ann@example.org")):
        result = me.send(*arguments)
        said += result.out + result.err
    box.refresh_state("me@sandbox.example", "expired")
    me.forget_access_tokens()
    result = me.send("-v", "-i", "ann@example.org")
    case.same(result.code, 78, repr(result))
    said += result.out + result.err
    canaries = box.secrets()
    # The issued tokens themselves, by the marks that a bearer string has in the sandbox.
    for canary in canaries:
        case.holds(canary not in said, "a secret in the output")
        for path in case.folder.rglob("*"):
            if path.is_file() and path != box.folder / "sandbox.json" and not path.name.endswith((".refresh-token", ".client-secret")):
                case.holds(canary.encode() not in path.read_bytes(), f"a secret in {path}")
    case.holds("eyJ" not in said, "something like a token in the output")


def test_killed_while_a_token_is_refreshed(case):
    box = case.box()
    me = case.person(box)
    box.token_fault(delay_ms=400)
    process = me.start("-i", "ann@example.org")
    process.stdin.write(BODY.encode())
    process.stdin.close()
    case.wait_for(lambda: box.token_requests() > 0, "the token request")
    process.kill()
    process.wait()
    # Whoever comes next is neither blocked nor without a token.
    result = me.send("-i", "bob@example.org").succeeded()
    case.holds(result.seconds < 10, f"{result.seconds} s")
    if not any(mail.recipients == ["bob@example.org"] for mail in box.mails()):
        raise Mismatch("bob's mail is missing")
