"""Servers that cannot prove who they are: 69 with the reason, never plaintext, never a token (P9 and P10)."""

import subprocess

from rig import BODY, weight


def no_token_was_sent(case, box):
    case.same(box.count("smtp.auth.start") + box.count("smtp.auth"), 0, "a token was offered")
    case.same(box.count("smtp.mail"), 0)
    case.same(box.mails(), [])


@weight(2)
def test_bad_certificates_of_the_mail_server(case):
    reasons = {
        "expired": r"certificate of 127\.0\.0\.1 expired on \d{4}-\d\d-\d\d",
        "not-yet-valid": r"certificate of 127\.0\.0\.1 is not valid before \d{4}-\d\d-\d\d",
        "wrong-name": r"certificate of 127\.0\.0\.1 is for [^;]+, not 127\.0\.0\.1",
        "self-signed": r"certificate of 127\.0\.0\.1 is (self-signed|issued by) [^;]*not trusted here",
    }
    box = case.box()
    me = case.person(box)
    implicit = case.person(box, name="implicit", account=f"smtp_tls = implicit\nsmtp_port = {box.smtps_port}")
    for kind, reason in reasons.items():
        for person in (me, implicit):
            box.fault("tls", certificate=kind)
            person.send("-i", "ann@example.org").failed(69, rf"not sent \(work\): {reason}; .*")
            box.reset()
    no_token_was_sent(case, box)


def test_an_unknown_issuer_of_the_mail_server(case):
    box = case.box()
    other = case.box()
    # The token endpoint is the other sandbox's, so that only the mail server is in doubt.
    me = case.person(other, account=f"smtp_port = {box.smtp_port}")
    me.send("-i", "ann@example.org").failed(69, r"not sent \(work\): certificate of 127\.0\.0\.1 [^;]*not trusted here; set ca_file, .*")
    no_token_was_sent(case, box)


def test_without_ca_file_the_system_s_issuers_count(case):
    box = case.box()
    me = case.person(box, account="ca_file =")
    result = me.send("-i", "ann@example.org")
    case.same(result.code, 69, repr(result))
    no_token_was_sent(case, box)


def test_an_unknown_issuer_of_the_token_endpoint(case):
    box = case.box()
    other = case.box()
    # The refresh token must not reach a stranger.
    me = case.person(box, account=f"token_endpoint = {other.token_endpoint}")
    result = me.send("-i", "ann@example.org")
    result.failed(69, r"not sent \(work\): .*(certificate|issuer|trust).*")
    case.same(other.token_requests(), 0)
    no_token_was_sent(case, box)


def test_a_token_endpoint_that_speaks_no_tls(case):
    import http.server
    import threading

    box = case.box()
    asked = []

    class Plain(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Plain)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    me = case.person(box, account=f"token_endpoint = https://127.0.0.1:{server.server_port}/token")
    result = me.send("-i", "ann@example.org")
    server.shutdown()
    server.server_close()
    result.failed(69, r"not sent \(work\): .*")
    case.same(asked, [])
    no_token_was_sent(case, box)


def test_plaintext_is_refused_by_the_configuration(case):
    box = case.box()
    me = case.person(box, account="smtp_tls = none", secrets=False)
    line = me.config.read_text().splitlines().index("smtp_tls = none") + 1
    me.send("-i", "ann@example.org").failed(
        78, rf"not sent \(work\): {me.config}:{line}: smtp_tls = none would send a token or password in the clear; .*")
    case.same(box.count("smtp.connect"), 0)


def test_without_sign_in_plaintext_is_allowed(case):
    box = case.box("--without-auth")
    me = case.person(box, account="smtp_tls = none\nauth = none")
    me.send("-i", "ann@example.org").succeeded()
    case.same(box.token_requests(), 0)
    case.same(box.count("smtp.starttls"), 0)
    case.same(box.mail().body, b"How are you?\r\n")


def test_old_tls_is_refused(case):
    """TLS 1.1 alone, by openssl s_server with a certificate that is trusted."""
    box = case.box()
    certificate, key = case.folder / "server.pem", case.folder / "server.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    server = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, "-tls1_1",
                               "-cipher", "DEFAULT@SECLEVEL=0", "-quiet"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.PIPE)
    case.at_end(lambda: (server.kill(), server.wait()))
    port = listening_port(case, server.pid)
    me = case.person(box, account=f"smtp_tls = implicit\nsmtp_port = {port}\nca_file = {certificate}")
    result = me.send("-i", "ann@example.org", text=BODY)
    result.failed(69, r"not sent \(work\): .*")
    no_token_was_sent(case, box)


def listening_port(case, pid):
    import os
    import pathlib

    found = []

    def look():
        inodes = set()
        try:
            for entry in os.scandir(f"/proc/{pid}/fd"):
                target = os.readlink(entry.path)
                if target.startswith("socket:"):
                    inodes.add(target[8:-1])
        except OSError:
            return False
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in inodes:
                found.append(int(words[1].rpartition(":")[2], 16))
        return bool(found)

    case.wait_for(look, "openssl s_server")
    return found[0]


def test_sessions_are_resumed_from_the_runtime_folder_and_forgotten_with_the_secret(case):
    box = case.box()
    runtime = case.folder / "runtime"
    runtime.mkdir(mode=0o700)
    me = case.person(box, main=f"runtime_dir = {runtime}")
    kept = lambda: [path for path in runtime.iterdir() if path.name.startswith("tls-")]  # noqa: E731
    for _ in range(3):
        me.send("-i", "ann@example.org").succeeded()
        case.same([path.stat().st_mode & 0o777 for path in kept()], [0o600])
    case.same(me.call("mailbearer", "secret", "clear", "work", "refresh-token").code, 0)
    case.same(kept(), [])


def test_no_session_is_kept_where_others_may_look(case):
    box = case.box()
    runtime = case.folder / "runtime"
    runtime.mkdir(mode=0o755)
    me = case.person(box, main=f"runtime_dir = {runtime}")
    me.send("-i", "ann@example.org").succeeded()
    case.same([path.name for path in runtime.iterdir() if path.name.startswith("tls-")], [])
