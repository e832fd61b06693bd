"""Keyrings and the verbs that look after them: keyring status and migrate, logout, token, refresh; programs as stores."""

import json
import os
import subprocess
import time

from rig import run

DAY_S = 86400


def program_of(case, name, script):
    path = case.folder / name
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o700)
    return path


def test_secret_command_gives_the_refresh_token(case):
    box = case.box("--strict-rotation")
    given = case.folder / "given"
    given.write_text(box.refresh_token("me@sandbox.example") + "\nuser: me\n")
    program = program_of(case, "store", f'cat {given}; echo "$*" >>{case.folder}/asked; env >{case.folder}/environment\n')
    me = case.person(box, account=f"keyring = command\nsecret_command = {program} show mail/work", secrets=False)
    for _ in range(3):
        me.send("-i", "ann@example.org", environment={"CANARY": "1", "GNUPGHOME": "/x"}).succeeded()
        me.forget_access_tokens()
    # What is rotated is kept beside it, for the program cannot be written.
    case.same(box.count("token.refresh_token", outcome="ok"), 3)
    case.same(set((case.folder / "asked").read_text().splitlines()), {"show mail/work"})
    environment = (case.folder / "environment").read_text()
    case.holds("CANARY" not in environment and "GNUPGHOME" not in environment, "the caller's environment reached it")
    case.holds("MAILBEARER_ACCOUNT=work\n" in environment, "it is told the account")
    # What the person puts there anew wins.
    given.write_text(box.refresh_token("me@sandbox.example") + "\n")
    me.send("-i", "ann@example.org").succeeded()
    case.same(box.count("token.refresh_token", outcome="ok"), 4)


def test_secret_command_that_fails_hangs_or_is_not_there(case):
    box = case.box()
    for script, code, cause in (("exit 2", 69, r"secret_command failed \(exit code 2\)"),
                                ("echo canary >&2; exit 1", 69, r"secret_command failed \(exit code 1\)"),
                                ("sleep 60", 69, "secret_command did not end in time"),
                                ("true", 78, "secret_command printed nothing")):
        program = program_of(case, "store", script + "\n")
        me = case.person(box, name=f"p{len(script)}", account=f"keyring = command\nsecret_command = {program}", secrets=False)
        result = me.send("-i", "ann@example.org", patience=20)
        result.failed(code, rf"not sent \(work\): {cause}; see what it says: {program}( \(.*)?.*")
        case.holds(result.seconds < 9, f"took {result.seconds:.1f} s")
        case.holds("canary" not in result.err, "what it says is not repeated")
    program.unlink()
    me.send("-i", "ann@example.org").failed(78, rf"not sent \(work\): cannot run {program} of secret_command: .*")
    case.same(box.mails(), [])


def test_access_token_command(case):
    box = case.box()
    donor = case.person(box, name="donor")
    donor.send("-i", "ann@example.org").succeeded()
    token = donor.call("mailbearer", "token", "work").out.strip()
    program = program_of(case, "token", f"echo x >>{case.folder}/runs; echo {token}; cat {case.folder}/life\n")
    (case.folder / "life").write_text("")
    keys = f"access_token_command = {program}\nclient_id =\ntoken_endpoint ="
    me = case.person(box, account=keys, secrets=False)
    before = box.token_requests()
    for _ in range(2):
        me.send("-i", "ann@example.org").succeeded()
    case.same((case.folder / "runs").read_text(), "x\nx\n", "its life is not known: run each time")
    (case.folder / "life").write_text("3000\n")
    for _ in range(3):
        me.send("-i", "ann@example.org").succeeded()
    case.same((case.folder / "runs").read_text(), "x\nx\nx\n", "its life is known: shared")
    case.same(box.token_requests(), before)
    case.holds(token not in me.call("mailbearer", "config", "show").out, "no token in config show")


def test_an_access_token_command_whose_token_is_refused(case):
    box = case.box()
    program = program_of(case, "token", "echo no-such-token\n")
    me = case.person(box, account=f"access_token_command = {program}\nclient_id =\ntoken_endpoint =", secrets=False)
    me.send("-i", "ann@example.org").failed(
        78, r"not sent \(work\): access_token_command still prints the token that was refused; sign in anew .*")


def test_commands_are_for_people_only(case):
    box = case.box()
    me = case.person(box, account="access_token_command = /bin/true")
    # The host's configuration is another file, so the rule is seen by the unit tests; here, that a shell is none.
    me.write_config(me.config.read_text().replace("/bin/true", "echo token"))
    result = me.call("mailbearer", "config", "check")
    case.same(result.code, 78)
    case.matches(result.err, "access_token_command = echo token` must begin with the absolute path of a program")


def test_no_session_bus(case):
    if os.geteuid() != 0:
        uid = None
    else:
        uid = 61234
    box = case.box()
    me = case.person(box, account="keyring = secret-service", secrets=False, uid=uid)
    bus = f"/run/user/{os.geteuid() if uid is None else uid}/bus"
    if os.path.exists(bus):
        return  # a desktop: its keyring is nobody's test
    me.send("-i", "ann@example.org").failed(
        69, rf"not sent \(work\): no keyring: this session has no D-Bus \({bus}\); start a desktop session .*")
    result = me.call("mailbearer", "config", "check")
    case.same(result.code, 0)
    case.matches(result.err, r"mailbearer: warning: .*mailbearer.conf:\d+: keyring = secret-service, and this session has no D-Bus")


def test_D_Bus_variables_are_not_believed(case):
    uid = 61234 if os.geteuid() == 0 else None
    if uid is None:
        return
    box = case.box()
    trap = case.folder / "trap"
    import socket
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(trap))
        trap.chmod(0o777)
        listener.listen(8)
        listener.settimeout(0.2)
        me = case.person(box, account="keyring = secret-service", secrets=False, uid=uid)
        me.send("-i", "ann@example.org", environment={"DBUS_SESSION_BUS_ADDRESS": f"unix:path={trap}",
                                                      "XDG_RUNTIME_DIR": str(case.folder)}).failed(69, ".*no keyring.*")
        try:
            listener.accept()
            case.holds(False, "somebody followed the variable")
        except TimeoutError:
            pass


def test_keyring_status_says_who_gets_at_it(case):
    box = case.box()
    secret = case.folder / "secret"
    secret.write_text("s3cr3t\n")
    secret.chmod(0o644)
    me = case.person(box, accounts={"work": "", "site": f"client_secret_file = {secret}\nclient_secret_expires = 2020-01-31"},
                     secrets=False)
    me.set_secret("work", "refresh-token", "canary-refresh")
    result = me.call("mailbearer", "keyring", "status")
    case.same(result.code, 0, repr(result))
    case.matches(result.out, rf"work\n  refresh-token: stored; file {me.keyring}\n")
    case.matches(result.out, r"    stolen disk, full backup +not safe +the key lies on the same disk")
    case.matches(result.out, r"    another user +safe ")
    case.matches(result.out, r"    root +not safe ")
    case.matches(result.out, r"site\n  client-secret: read from a file of its own; file \S+, as it is\n")
    case.matches(result.out, r"another user +not safe +every user may read it; run: chmod o-r")
    case.matches(result.out, r"client secret has ended \(2020-01-31\); make a new one, run: mailbearer secret set site client-secret")
    case.holds("canary" not in result.out and "s3cr3t" not in result.out, "no secret is shown")
    facts = json.loads(me.call("mailbearer", "keyring", "status", "work", "--json").out)
    case.same([one["account"] for one in facts], ["work"])
    case.same(facts[0]["credentials"][0]["against"]["same_user"]["safety"], "open")


def test_migrate_from_a_program_to_files(case):
    box = case.box("--strict-rotation")
    given = case.folder / "given"
    given.write_text(box.refresh_token("me@sandbox.example") + "\n")
    program = program_of(case, "store", f"cat {given}\n")
    me = case.person(box, account=f"keyring = command\nsecret_command = {program}", secrets=False)
    me.send("-i", "ann@example.org").succeeded()
    me.forget_access_tokens()
    before = me.config.read_text()
    result = me.call("mailbearer", "keyring", "migrate", "command", "file")
    case.same((result.code, result.out, result.err), (0, "work: keyring = file, 1 secret moved\n", ""))
    case.same(me.config.read_text(), before.replace("keyring = command", "keyring = file"), "nothing else is changed")
    given.unlink()
    me.send("-i", "ann@example.org").succeeded()
    case.same(box.count("token.refresh_token", outcome="ok"), 2, "the rotated one was moved")
    again = me.call("mailbearer", "keyring", "migrate", "command", "file")
    case.same(again.code != 70, True, repr(again))
    me.forget_access_tokens()
    me.send("-i", "ann@example.org").succeeded()


def test_migrate_says_what_it_cannot_do(case):
    box = case.box()
    me = case.person(box)
    for words, code, said in ((("file", "command"), 64, "keyring = command can only be read"),
                              (("file", "file"), 64, "the two keyrings are the same"),
                              (("fil", "file"), 64, "unknown keyring `fil`"),
                              (("secret-service", "command"), 64, "can only be read"),
                              (("file", "secret-service", "nobody"), 78, "nobody")):
        result = me.call("mailbearer", "keyring", "migrate", *words)
        case.same(result.code, code, repr(result))
        case.matches(result.err, said)
    me.send("-i", "ann@example.org").succeeded()


def test_migrate_ended_anywhere_leaves_a_whole_credential(case):
    """kill -9 at system calls of a migration; the account sends afterwards, and the same command ends the rest."""
    box = case.box()
    given = case.folder / "given"
    program = program_of(case, "store", f"cat {given}\n")
    token = box.refresh_token("me@sandbox.example")
    given.write_text(token + "\n")
    me = case.person(box, account=f"keyring = command\nsecret_command = {program}", secrets=False)
    text = me.config.read_text()
    kills = 0
    for call in ("rename", "fsync", "openat", "write", "unlink"):
        for number in range(1, 200, 9 if call == "openat" else 1):
            me.write_config(text)
            done = run(["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                        f"inject={call}:signal=KILL:when={number}", case.program("mailbearer"),
                        "keyring", "migrate", "command", "file"], environment=me.environment)
            if done.code == 0:
                break
            kills += 1
            found = me.call("mailbearer", "secret", "status", "work")
            case.matches(found.out, "refresh-token +stored", f"{call} {number}: {found!r}")
    case.holds(kills > 8, f"{kills} kills")
    me.send("-i", "ann@example.org").succeeded()


def test_token_goes_into_a_pipe_only(case):
    box = case.box()
    me = case.person(box)
    result = me.call("mailbearer", "token", "work")
    case.same((result.code, result.err), (0, ""))
    case.same(len(result.out.splitlines()), 1)
    case.same(me.call("mailbearer", "token", "work").out, result.out, "from the cache")
    case.same(box.token_requests(), 1)
    with open(case.folder / "file", "wb") as file:
        refused = me.call("mailbearer", "token", "work", stdout=file.fileno())
    case.same(refused.code, 64)
    case.matches(refused.err, "an access token is given into a pipe only")
    case.same((case.folder / "file").read_bytes(), b"")
    primary, secondary = os.openpty()
    process = subprocess.run([case.program("mailbearer"), "token", "work"], env=me.environment, stdout=secondary,
                             stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=30)
    os.close(secondary)
    os.close(primary)
    case.same(process.returncode, 64)
    system = me.call("mailbearer", "token", "--system", "work")
    case.same(system.code, 77, repr(system))


def test_refresh_renews_what_nobody_used(case):
    box = case.box("--strict-rotation")
    me = case.person(box, accounts={"work": "", "site": ""})
    me.send("-i", "ann@example.org").succeeded()
    requests = box.token_requests()
    quiet = me.call("mailbearer", "refresh", "--all")
    case.same((quiet.code, quiet.out, quiet.err), (0, "", ""))
    case.same(box.token_requests(), requests, "used this week")
    me.forget_access_tokens()
    for path in me.keyring.glob("refresh-token-*"):
        os.utime(path, (time.time() - 8 * DAY_S,) * 2)
    for _ in range(2):
        quiet = me.call("mailbearer", "refresh", "--all")
        case.same((quiet.code, quiet.out, quiet.err), (0, "", ""))
    case.same(box.token_requests(), requests + 1, "once, and only what can die")
    named = me.call("mailbearer", "refresh", "work")
    case.same((named.code, named.out, named.err), (0, "", ""))
    case.same(box.token_requests(), requests + 2)
    me.send("-i", "ann@example.org").succeeded()
    both = me.call("mailbearer", "refresh", "--all", "work")
    case.same(both.code, 64)


def test_refresh_tells_a_dead_one_and_goes_on(case):
    box = case.box()
    me = case.person(box, accounts={"work": "", "other": ""})
    me.set_secret("work", "refresh-token", "dead")
    for path in me.keyring.glob("refresh-token-*"):
        os.utime(path, (time.time() - 8 * DAY_S,) * 2)
    result = me.call("mailbearer", "refresh")
    case.same(result.code, 78, repr(result))
    case.matches(result.err, r"^mailbearer: work: .*run: mailbearer login work\n$")
    case.same(box.count("token.refresh_token", outcome="ok"), 1, "the other one is renewed")


def test_logout_forgets(case):
    box = case.box()
    me = case.person(box)
    me.send("-i", "ann@example.org").succeeded()
    result = me.call("mailbearer", "logout", "work")
    case.same((result.code, result.err), (0, ""), repr(result))
    case.matches(result.out, "^work: signed out, the stored credential is erased")
    case.same(list(me.keyring.glob("refresh-token-*")) + list(me.keyring.glob("access-token-*")), [])
    me.send("-i", "ann@example.org").failed(78, r"not sent \(work\): not signed in yet; run: mailbearer login work")
    again = me.call("mailbearer", "logout", "work")
    case.same((again.code, again.out), (0, "work: nothing was stored\n"))


def test_config_check_foresees(case):
    box = case.box()
    me = case.person(box)
    case.same(me.call("mailbearer", "config", "check").code, 0)
    text = me.config.read_text()
    me.write_config(text.replace(f"ca_file = {box.ca_file}", "ca_file = /nonexistent/ca.pem"))
    result = me.call("mailbearer", "config", "check")
    case.same(result.code, 78, repr(result))
    case.matches(result.err, r"mailbearer.conf:\d+: ca_file /nonexistent/ca.pem is not there; check the path")
    me.write_config(text + "delivery = queue\n")
    result = me.call("mailbearer", "config", "check")
    case.same(result.code, 0, repr(result))
    case.matches(result.err, r"warning: .*mailbearer.conf:\d+: delivery = queue needs an agent, and none is running")
