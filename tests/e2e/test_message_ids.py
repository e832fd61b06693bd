"""Message-IDs that the provider replaces: a series stays threaded by the provider's ids (design section 4, map_message_ids)."""

import os
import time

from rig import same, weight

REPLACES = "--replace-message-id"
DAY_S = 24 * 3600


def letter(number, answers=(), series="series"):
    """One message as git send-email writes it."""
    text = (f"From: me@sandbox.example\nTo: list@example.org\nSubject: [PATCH {number}/3] do it\n"
            f"Message-ID: <{series}-{number}@me.example>\n")
    if answers:
        last = answers[-1]
        text += f"In-Reply-To: <{series}-{last}@me.example>\n"
        text += "References: " + "\n ".join(f"<{series}-{one}@me.example>" for one in answers) + "\n"
    return text + "\n---\n patch\n"


def sender(case, box, name="person", account="provider = microsoft", **how):
    """Someone whose state lies in a folder of the test."""
    state = case.folder / name / "state"
    return case.person(box, name=name, main=f"state_dir = {state}", account=account, **how), state / "message-ids" / "work.ids"


def send(me, *arguments, **how):
    me.send("-i", "list@example.org", text=letter(*arguments), **how).succeeded()


def arrived(box):
    """The mails by the Message-ID with which they left."""
    return {(mail.fields("X-Microsoft-Original-Message-ID") or mail.fields("Message-ID"))[0].split("@")[0][1:]: mail
            for mail in box.mails()}


def test_a_series_stays_threaded(case):
    box = case.box(REPLACES)
    me, store = sender(case, box)
    send(me, 1)
    send(me, 2, [1])
    send(me, 3, [1, 2])
    mails = arrived(box)
    ids = [mails[f"series-{number}"].field("Message-ID") for number in (1, 2, 3)]
    case.same(len(set(ids)), 3)
    for one in ids:
        case.holds("me.example" not in one, f"the sandbox did not replace {one}")
    case.same(mails["series-1"].fields("In-Reply-To"), [])
    case.same(mails["series-2"].field("In-Reply-To"), ids[0])
    case.same(mails["series-3"].field("In-Reply-To"), ids[1])
    case.same(mails["series-3"].field("References").split(), ids[:2])
    case.holds(b"References: " + ids[0].encode() + b"\r\n " + ids[1].encode() + b"\r\n" in mails["series-3"].raw,
               "the fold of References went")
    case.same(oct(store.stat().st_mode & 0o7777), oct(0o600))
    case.same(oct(store.parent.stat().st_mode & 0o7777), oct(0o700))
    case.same(len(store.read_text().splitlines()), 3)


def test_an_id_of_our_own_making_is_known_too(case):
    box = case.box(REPLACES)
    me, _ = sender(case, box)
    me.send("-i", "list@example.org", text="Subject: without an id\n\nx\n").succeeded()
    first = box.mail()
    ours = first.field("X-Microsoft-Original-Message-ID")
    me.send("-i", "list@example.org", text=f"Subject: Re\nIn-Reply-To: {ours}\nReferences: <other@example.org> {ours}\n\nx\n").succeeded()
    case.same(box.mails()[-1].field("In-Reply-To"), first.field("Message-ID"))
    case.same(box.mails()[-1].field("References"), "<other@example.org> " + first.field("Message-ID"))


def test_other_providers_and_no_keep_ids_as_they_are(case):
    box = case.box(REPLACES)
    for name, account in (("smtp", ""), ("off", "provider = microsoft\nmap_message_ids = no")):
        me, store = sender(case, box, name, account)
        send(me, 1, [], name)
        send(me, 2, [1], name)
        case.same(arrived(box)[f"{name}-2"].field("In-Reply-To"), f"<{name}-1@me.example>")
        case.holds(not store.parent.exists(), f"{name}: something was kept")
    me, _ = sender(case, box, "on", "map_message_ids = yes")
    send(me, 1, [], "on")
    send(me, 2, [1], "on")
    case.same(arrived(box)["on-2"].field("In-Reply-To"), arrived(box)["on-1"].field("Message-ID"))


def test_what_was_not_delivered_is_not_known(case):
    box = case.box(REPLACES)
    me, store = sender(case, box)
    box.fault("end", reply="451 4.3.2 Try later", times=1)
    case.same(me.send("-i", "list@example.org", text=letter(1)).code, 69)
    case.holds(not store.exists(), "an id was kept for a message that was not taken")
    send(me, 2, [1])
    case.same(box.mail().field("In-Reply-To"), "<series-1@me.example>")


def test_ids_are_kept_for_30_days(case):
    box = case.box(REPLACES)
    me, store = sender(case, box)
    send(me, 1)
    pair = store.read_text().split(" ", 1)[1]
    for age, known in ((29 * DAY_S, True), (30 * DAY_S + 1, False)):
        store.write_text(f"{int(time.time()) - age} {pair}")
        send(me, 2, [1], "series")
        wanted = box.mails()[0].field("Message-ID") if known else "<series-1@me.example>"
        case.same(box.mails()[-1].field("In-Reply-To"), wanted, f"{age} s")


def test_a_broken_store_is_an_empty_one(case):
    box = case.box(REPLACES)
    me, store = sender(case, box)

    def as_ever(what, kept):
        box_mails = len(box.mails())
        send(me, 1, [], what)
        send(me, 2, [1], what)
        mails = arrived(box)
        case.same(len(box.mails()), box_mails + 2, what)
        wanted = mails[f"{what}-1"].field("Message-ID") if kept else f"<{what}-1@me.example>"
        case.same(mails[f"{what}-2"].field("In-Reply-To"), wanted, what)

    as_ever("fresh", True)
    store.write_bytes(os.urandom(100000))
    as_ever("noise", True)
    store.write_bytes(b"\n" + b"1 <noise-1@me.example> <evil@x\r\nBcc: evil@example.org>\n" * 10)
    as_ever("torn", True)
    store.chmod(0o666)
    as_ever("open", True)
    store.unlink()
    store.symlink_to("/etc/passwd")
    as_ever("link", True)
    same(store.is_symlink(), False)
    store.unlink()
    store.mkdir()
    as_ever("folder", False)
    store.rmdir()
    store.parent.chmod(0o777)
    as_ever("writable", False)
    store.parent.chmod(0o700)
    (store.parent / "work.ids.lock").unlink()
    (store.parent / "work.ids.lock").mkdir()
    as_ever("lock", False)


def test_nowhere_to_keep_anything(case):
    box = case.box(REPLACES)
    me = case.person(box, main="state_dir = /proc/nowhere", account="provider = microsoft")
    send(me, 1)
    send(me, 2, [1])
    case.same(arrived(box)["series-2"].field("In-Reply-To"), "<series-1@me.example>")


def test_the_place_is_XDG_STATE_HOME_when_it_is_ours(case):
    box = case.box(REPLACES)
    me = case.person(box, account="provider = microsoft", uid=65533)  # without a home
    mine, foreign = case.folder / "mine", case.folder / "foreign"
    for folder, owner in ((mine, 65533), (foreign, 65532)):
        folder.mkdir(mode=0o700)
        os.chown(folder, owner, owner)
    send(me, 1, [], "nowhere")
    send(me, 1, [], "foreign", environment={"XDG_STATE_HOME": str(foreign)})
    send(me, 1, [], "mine", environment={"XDG_STATE_HOME": str(mine)})
    case.same(list(foreign.iterdir()), [])
    kept = (mine / "mailbearer" / "message-ids" / "work.ids").read_text()
    case.holds("<mine-1@me.example>" in kept and kept.count("\n") == 1, kept)


@weight(2)
def test_processes_at_once_lose_nothing(case):
    box = case.box(REPLACES)
    me, store = sender(case, box, account="provider = microsoft\ntimeout = 20s")
    many = range(6)
    send(me, 0, [], "warm")  # the token is there
    calls = [me.start("-i", "list@example.org") for _ in many]
    for i, call in enumerate(calls):
        call.stdin.write(letter(1, [], f"at-once-{i}").encode())
        call.stdin.close()
    for call in calls:
        case.same((call.wait(30), call.stderr.read()), (0, b""))
    case.same(len(store.read_text().splitlines()), 1 + len(many))
    text = "Subject: Re\nReferences: " + " ".join(f"<at-once-{i}-1@me.example>" for i in many) + "\n\nx\n"
    me.send("-i", "list@example.org", text=text).succeeded()
    mails = arrived(box)
    case.same(box.mails()[-1].field("References").split(), [mails[f"at-once-{i}-1"].field("Message-ID") for i in many])
