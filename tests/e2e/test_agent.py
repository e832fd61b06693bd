"""The standing agent: callers on its socket, the queue behind it, and what a person may do with it."""

import os
import random
import signal
import smtplib
import socket
import subprocess
import sys
import time

from agent import Agent, hand_over
from rig import BODY, weight

QUEUE = {"work": "delivery = queue"}


def test_a_message_is_kept_and_delivered(case):
    box = case.box()
    agent = Agent(case, case.person(box, accounts=QUEUE))
    agent.send("-i", "ann@example.org").succeeded()
    agent.empty()
    case.same(box.mail().recipients, ["ann@example.org"])
    case.same(agent.stop(), 0)


def test_now_is_the_providers_verdict(case):
    box = case.box()
    agent = Agent(case, case.person(box))
    agent.send("-i", "ann@example.org").succeeded()
    case.same(box.mail().recipients, ["ann@example.org"])
    agent.send("-i", "fault+550-5.1.1@example.org").failed(67, r"not sent \(work\): .*")
    case.same(agent.status()["messages"], 0)


def test_the_trace_comes_through_the_agent(case):
    box = case.box()
    agent = Agent(case, case.person(box))
    result = agent.send("-v", "-i", "ann@example.org")
    case.same(result.code, 0, repr(result))
    case.matches(result.out, "EHLO.*MAIL FROM.*250")


def test_queued_while_the_provider_is_down(case):
    box = case.box()
    me = case.person(box, accounts=QUEUE)
    agent = Agent(case, me)
    box.stop()
    for number in range(5):
        agent.send("-i", f"r{number}@example.org").succeeded()
    agent.until(lambda: all(row["why"] and not row["active"] for row in agent.rows()), "every message was tried")
    rows = agent.rows()
    case.same(len(rows), 5)
    case.same({row["hold"] for row in rows}, {""})
    case.matches(rows[0]["why"], "cannot reach")


def test_a_restart_loses_nothing(case):
    box = case.box()
    me = case.person(box, accounts=QUEUE)
    agent = Agent(case, me)
    box.token_fault(status=503, times=1000)
    for number in range(8):
        agent.send("-i", f"r{number}@example.org").succeeded()
    agent.stop(signal.SIGKILL)
    box.reset()
    agent.start()
    agent.ask("XQUEUE retry *")
    agent.empty()
    case.same(sorted(mail.recipients[0] for mail in box.mails()), sorted(f"r{n}@example.org" for n in range(8)))


def test_a_dead_token_holds_the_account_and_login_releases_it(case):
    box = case.box()
    me = case.person(box, accounts=QUEUE)
    agent = Agent(case, me)
    me.set_secret("work", "refresh-token", "dead-token")
    for number in range(3):
        agent.send("-i", f"r{number}@example.org").succeeded()
    agent.until(lambda: any(one["held"] for one in agent.status()["accounts"]), "the account is held")
    case.same(box.mails(), [])
    held = [one for one in agent.status()["accounts"] if one["held"]]
    case.matches(held[0]["why"], "mailbearer login work", str(held))
    me.set_secret("work", "refresh-token", box.refresh_token("me@sandbox.example"))
    lines, last = agent.ask("XRELEASE work")
    case.same(last, "250 2.0.0 Ok x=0")
    agent.empty()
    case.same(len(box.mails()), 3)


def test_without_a_configuration_mail_is_kept_and_held(case):
    box = case.box()
    me = case.person(box, accounts=QUEUE)
    sound = me.config.read_text()
    me.write_config("[mailbearer]\nnonsense = 1\n")
    agent = Agent(case, me, "--system")
    agent.send("-i", "ann@example.org").succeeded()
    case.same(agent.status()["messages"], 1)
    case.matches(agent.status()["configuration"], "nonsense")
    me.write_config(sound)
    agent.process.send_signal(signal.SIGHUP)
    agent.empty()
    case.same(box.mail().recipients, ["ann@example.org"])


def test_a_bad_configuration_keeps_the_old_one(case):
    box = case.box()
    me = case.person(box, accounts=QUEUE)
    agent = Agent(case, me)
    me.write_config("[mailbearer]\nnonsense = 1\n")
    lines, last = agent.ask("XRELOAD")
    case.matches(last, r"^554 .*nonsense.* x=78$")
    agent.send("-i", "ann@example.org").succeeded()
    agent.empty()


def test_a_refused_recipient_is_told_to_the_sender(case):
    box = case.box()
    agent = Agent(case, case.person(box, accounts={"work": "delivery = queue\nnull_sender = user"}))
    agent.send("-i", "-f", "me@sandbox.example", "fault+550-5.1.1@example.org", "ann@example.org").succeeded()
    agent.empty()
    mails = {tuple(mail.recipients): mail for mail in box.mails()}
    case.same(len(mails), 2, str(list(mails)))
    bounce = mails[("me@sandbox.example",)].parsed()
    case.same(bounce.get_content_type(), "multipart/report")
    case.matches(bounce.as_string(), "fault\\+550-5.1.1@example.org")


def test_a_person_holds_shows_and_removes(case):
    box = case.box()
    me = case.person(box, accounts=QUEUE)
    agent = Agent(case, me)
    box.stop()
    agent.send("-i", "ann@example.org").succeeded()
    identity = agent.rows()[0]["id"]
    agent.until(lambda: not agent.rows()[0]["active"] and agent.rows()[0]["why"], "it was tried")
    case.same(agent.ask(f"XQUEUE hold {identity}")[1], "250 2.0.0 Ok x=0")
    case.same(agent.rows()[0]["hold"], "person")
    case.matches("\n".join(agent.ask("XQUEUE mailq")[0]), rf"{identity}!.*me@sandbox.example(.|\n)*ann@example.org")
    case.same(agent.ask(f"XQUEUE release {identity}")[1], "250 2.0.0 Ok x=0")
    agent.until(lambda: not agent.rows()[0]["active"], "nobody has it")
    case.same(agent.ask(f"XQUEUE remove {identity}")[1], "250 2.0.0 Ok x=0")
    case.same(agent.ask("XQUEUE mailq")[0], ["Mail queue is empty"])
    case.matches(agent.ask("XQUEUE show 0123")[1], r"^554 .* x=64$")
    case.matches(agent.ask("NONSENSE")[1], r"^554 .* x=64$")


@weight(8)
def test_hundreds_of_callers_at_once(case):
    box = case.box()
    me = case.person(box, accounts=QUEUE)
    agent = Agent(case, me)
    message = case.folder / "message"
    message.write_text(BODY)
    processes = []
    for number in range(200):
        with open(message, "rb") as text:
            processes.append(subprocess.Popen(
                [case.program("sendmail"), "-i", f"r{number}@example.org"], env={**me.environment, **agent.environment},
                stdin=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    for process in processes:
        code = process.wait(60)
        case.same((code, process.stdout.read() + process.stderr.read()), (0, b""))
    agent.empty(60)
    case.same(len({mail.recipients[0] for mail in box.mails()}), 200)
    case.same(len(box.mails()), 200)
    case.same(box.token_requests(), 1)


def test_connections_that_come_and_go_hold_nobody_up(case):
    box = case.box()
    agent = Agent(case, case.person(box, accounts=QUEUE))
    idle = []
    for _ in range(300):
        one = socket.socket(socket.AF_UNIX)
        one.connect(str(agent.socket))
        idle.append(one)
    for one in idle:
        one.close()
    agent.send("-i", "ann@example.org").succeeded()
    agent.empty()


def test_two_agents_do_not_share_a_spool(case):
    box = case.box()
    me = case.person(box, accounts=QUEUE)
    agent = Agent(case, me)
    second = subprocess.run(
        [case.program("mailbearer-agent"), "--foreground", "--listen", str(agent.folder / "other.sock"), "--spool",
         str(agent.spool), "--config", str(me.config)], env=me.environment, capture_output=True, timeout=20)
    case.same(second.returncode, 78, repr(second))
    case.matches(second.stderr.decode(), "^mailbearer-agent: .*\n$")


def test_sigterm_ends_it_at_once_when_nothing_is_due(case):
    box = case.box()
    agent = Agent(case, case.person(box, accounts=QUEUE))
    started = time.monotonic()
    case.same(agent.stop(), 0)
    case.same(time.monotonic() - started < 8, True)
    case.same(os.path.exists(agent.spool), True)


def test_nobody_on_the_second_socket_keeps_it_from_ending(case):
    box = case.box()
    agent = Agent(case, case.person(box, accounts=QUEUE))
    idle = []
    for _ in range(3):
        one = socket.socket(socket.AF_UNIX)
        one.connect(str(agent.control))
        idle.append(one)
    agent.status()
    started = time.monotonic()
    case.same(agent.stop(), 0)
    case.same(time.monotonic() - started < 8, True)


def test_a_bad_configuration_is_told_to_the_log_once(case):
    box = case.box()
    me = case.person(box, accounts=QUEUE)
    me.write_config(me.config.read_text().replace("[mailbearer]", f"[mailbearer]\nlog = {case.folder}/told", 1))
    agent = Agent(case, me)
    sound = me.config.read_text()
    me.write_config("[mailbearer]\nnonsense = 1\n")
    for _ in range(3):
        agent.process.send_signal(signal.SIGHUP)
        agent.until(lambda: "nonsense" in agent.status()["configuration"], "the fault is shown")
    agent.send("-i", "ann@example.org").succeeded()
    agent.empty()
    me.write_config(sound)
    agent.ask("XRELOAD")
    log = (case.folder / "told").read_text()
    case.same(log.count("nonsense"), 1, log)
    case.same(log.count("sound again"), 1, log)


def test_a_killed_front_end_commits_nothing(case):
    box = case.box()
    agent = Agent(case, case.person(box, accounts=QUEUE))
    whole = (b"EHLO localhost\r\nMAIL FROM:<me@sandbox.example> X-ID=" + b"a" * 32 +
             b"\r\nRCPT TO:<ann@example.org>\r\nBDAT 26 LAST\r\nSubject: half\r\n\r\nthe body\n")
    for length in range(1, len(whole)):
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(str(agent.socket))
            one.sendall(whole[:length])
    case.same(agent.rows(), [])
    # The same id twice is one copy (Q3).
    for _ in range(2):
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(20)
            one.connect(str(agent.socket))
            one.sendall(whole + b"QUIT\r\n")
            said = b""
            while b"221 " not in said:
                got = one.recv(65536)
                if not got:
                    break
                said += got
            case.matches(said.decode(), "queued as a{32} x=0", said)
    agent.empty()
    case.same(len(box.mails()), 1)


@weight(9)
def test_a_token_that_dies_with_500_queued_bounces_nothing(case):
    box = case.box()
    told = case.folder / "told"
    program = case.folder / "notify"
    program.write_text(f"#!/bin/sh\ncat >> {told}\n")
    program.chmod(0o755)
    me = case.person(box, accounts=QUEUE, main=f"notify_command = {program}")
    agent = Agent(case, me)
    me.set_secret("work", "refresh-token", "dead-token")
    replies = hand_over(agent.socket, 500)
    case.same({reply.split(" queued")[0] for reply in replies}, {"250 2.0.0 Ok:"})
    agent.until(lambda: any(one["held"] for one in agent.status()["accounts"]), "the account is held")
    agent.until(told.exists, "somebody is told")
    case.same(box.mails(), [], "nothing left, and nobody was told of a failure")
    case.same(agent.status()["messages"], 500)
    me.set_secret("work", "refresh-token", box.refresh_token("me@sandbox.example"))
    lines, last = agent.ask("XRELEASE work")
    case.same((last, '"messages":500' in lines[0]), ("250 2.0.0 Ok x=0", True), str(lines))
    agent.empty(60)
    case.same(len({mail.recipients[0] for mail in box.mails()}), 500)
    case.same(len(box.mails()), 500)
    text = told.read_text()
    case.same(text.count("\n"), 1, text)
    case.matches(text, "account work needs a person: .*mailbearer login work")


def test_what_can_never_be_sent_is_said_at_once(case):
    box = case.box()
    agent = Agent(case, case.person(box, accounts={"work": "delivery = queue\nrewrite_from = never\nmax_size = 100k"}))
    agent.send("-i", "-f", "me@sandbox.example", "ann@example.org",
               text="From: other@kernel.org\nSubject: s\n\nx\n").failed(77, r"not sent \(work\): .*other@kernel.org.*")
    agent.send("-i", "ann@example.org", text="Subject: s\n\n" + "x" * 70 + "\n" * 200_000).failed(
        65, r"not sent \(work\): message is too large .*")
    case.same(agent.status()["messages"], 0)


def test_a_local_name_that_leads_nowhere_is_held_for_a_person(case):
    box = case.box()
    agent = Agent(case, case.person(box, accounts=QUEUE))
    agent.send("-i", "nobodyknows").succeeded()
    agent.until(lambda: [row["hold"] for row in agent.rows()] == ["sender"], "it is held")
    case.matches(agent.rows()[0]["why"], "nobodyknows")
    agent.send("-i", "ann@example.org").succeeded()
    agent.until(lambda: len(box.mails()) == 1, "another is not held up")


def test_kills_at_any_moment_lose_nothing_that_was_acknowledged(case):
    box = case.box()
    me = case.person(box, accounts=QUEUE)
    agent = Agent(case, me)
    chance = random.Random(6)
    acknowledged = []
    for number in range(16):
        callers = []
        for place in range(4):
            recipient = f"r{number}-{place}@example.org"
            process = subprocess.Popen(
                [case.program("sendmail"), "-i", recipient], env={**me.environment, **agent.environment},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            process.stdin.write(BODY.encode())
            process.stdin.close()
            callers.append((recipient, process))
        if number % 2:
            callers[0][1].wait(60)  # so that some are acknowledged, however slow the machine
        # Any moment is right: from before the first word to after the delivery.
        time.sleep(chance.random() * 0.06)
        agent.stop(signal.SIGKILL)
        for recipient, process in callers:
            if process.wait(60) == 0:
                acknowledged.append(recipient)
            process.stdout.close()
            process.stderr.close()
        agent.start()
    agent.until(lambda: all(row["recipients"][0]["state"] == "unknown" for row in agent.rows()), "all but the unknown left")
    unknown = {row["recipients"][0]["address"] for row in agent.rows()}
    got = [mail.recipients[0] for mail in box.mails()]
    case.same(sorted(set(acknowledged) - set(got) - unknown), [], "acknowledged and lost")
    case.same(sorted(one for one in set(got) if got.count(one) > 1), [], "sent twice")
    case.same({mail.parsed().get_payload() for mail in box.mails()} <= {box.mails()[0].parsed().get_payload()}, True)


def test_another_user_sees_and_touches_nobodys_rows(case):
    box = case.box()
    agent = Agent(case, case.person(box, accounts=QUEUE), "--system")
    box.stop()
    agent.send("-i", "ann@example.org").succeeded()
    identity = agent.rows()[0]["id"]
    script = ("import os,socket,sys\ns = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\nos.setgroups([])\n"
              "os.setgid(54321)\nos.setuid(54321)\nt = socket.socket(socket.AF_UNIX)\nos.chdir('/')\n"
              "t.connect('/proc/self/fd/%d/control.sock' % folder)\n"
              "t.settimeout(20)\nt.sendall(sys.argv[2].encode() + b'\\r\\n')\nprint(t.recv(65536).decode())\n")
    script = script.replace("os.setgroups([])\n", "folder = os.open(os.path.dirname(sys.argv[1]), os.O_PATH)\nos.setgroups([])\n")

    def asked(request):
        return subprocess.run([sys.executable, "-c", script, str(agent.control), request], capture_output=True, timeout=30, text=True)

    answer = asked("XQUEUE list")
    case.same(answer.stdout.strip(), "250 2.0.0 Ok x=0", repr(answer))
    for request in ("show", "hold", "remove", "retry", "release"):
        case.matches(asked(f"XQUEUE {request} {identity}").stdout, "^554 .* x=64", request)
    for request in ("XSTATUS", "XRELOAD", "XRELEASE work", "XSECRET status work refresh-token"):
        case.matches(asked(request).stdout, "^554 .* x=77", request)
    case.same(len(agent.rows()), 1)


def test_what_ends_soon_is_told_by_status_and_accounts(case):
    box = case.box()
    soon = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 5 * 86400))
    me = case.person(box, accounts={"site": f"client_secret_expires = {soon}\ndelivery = queue"})
    agent = Agent(case, me)
    for verb in ("status", "accounts"):
        told = me.call("mailbearer", verb, environment=agent.environment)
        case.same(told.code, 0, repr(told))
        case.matches(told.out, rf"account site: client secret ends in [45] days \({soon}\); .*mailbearer secret set site client-secret")
    checked = me.call("mailbearer", "status", "--check", environment=agent.environment)
    case.same(checked.code, 1, repr(checked))
    me.write_config(me.config.read_text().replace(soon, "2020-01-01"))
    case.same(me.call("mailbearer", "status", "--check", environment=agent.environment).code, 2)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_device_signs_in_and_its_mail_is_delivered(case):
    box = case.box()
    port = free_port()
    me = case.person(box, accounts={"work": "delivery = queue\nrewrite_from = always"}, main=f"listen_tcp = 127.0.0.1:{port}")
    me.set_secret("work", "device-password", "paper jam")
    agent = Agent(case, me)

    def device(user, password):
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as talk:
            if user:
                talk.login(user, password)
            talk.sendmail("scanner@sandbox.example", ["ann@example.org"], "Subject: scan\r\n\r\npage 1\r\n")

    agent.until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "it listens")
    # Never an open relay, on loopback either.
    for user, password, wrong in (("", "", smtplib.SMTPSenderRefused), ("work", "paper", smtplib.SMTPAuthenticationError),
                                  ("other", "paper jam", smtplib.SMTPAuthenticationError)):
        try:
            device(user, password)
            raise AssertionError(f"{user} {password} was let in")
        except wrong:
            pass
    case.same(agent.status()["messages"], 0)
    device("work", "paper jam")
    device("me@sandbox.example", "paper jam")
    agent.empty()
    case.same([mail.recipients for mail in box.mails()], [["ann@example.org"]] * 2)
    case.same(agent.stop(), 0)


def test_the_queue_takes_the_fallback_too(case):
    box = case.box()
    me = case.person(box, accounts={"work": "delivery = queue\nfallback = site\n" + box.graph(),
                                    "site": "delivery = queue\nrewrite_from = always"})
    agent = Agent(case, me)
    # A recipient of the header outside the envelope: Graph, strict, cannot carry it.
    agent.send("-i", "ann@example.org", text="To: ann@example.org, bob@example.org\nSubject: s\n\nx\n").succeeded()
    agent.empty()
    mail = box.mail()
    case.same((mail.recipients, mail.user), (["ann@example.org"], "noreply@sandbox.example"))
