"""Every way to sign in, and then: no code, token, secret or private key anywhere but sealed in keyring and cache.

The sandbox's codes and refresh tokens begin with "1.A", its access tokens are JWTs: by these marks they are found
without being known. What an independent server gave out is looked for, by value, in tests/integration/oauth_group.py.
"""

import pathlib
import re

from desk import Desk
from rig import holds, same
from watch import ArgvAndEnvironment

URL = r"(https://\S+/authorize\?\S+)"
MARKS = re.compile(rb"1\.A[A-Za-z0-9_-]{60}|eyJ[A-Za-z0-9_-]{60}|MS5B[A-Za-z0-9+/]{60}|PRIVATE KEY")


def sign_in_every_way(case, box, desk):
    """All that was shown on the way."""
    terminals = []

    def at_terminal(*words):
        terminals.append(desk.terminal("login", *words))
        return terminals[-1]

    desk.browse(at_terminal("me@sandbox.example").expect(URL).group(1))
    same(terminals[-1].ended(), 0, terminals[-1].shown)
    pasted = at_terminal("me@sandbox.example", "--name", "pasted", "--paste")
    location = desk.answer_page(pasted.expect(URL).group(1))
    pasted.expect("Paste it here")
    pasted.type(location + "\n")
    same(pasted.ended(), 0, pasted.shown)
    device = at_terminal("me@sandbox.example", "--name", "device", "--device")
    box.control("device", user_code=device.expect(r"Code:  (\S+)").group(1), user="me@sandbox.example")
    same(device.ended(), 0, device.shown)
    app = box.app(public=False)
    words = ["login", "noreply@sandbox.example", "--client-id", app["client_id"]]
    results = [desk.call(*words, "--app", "--name", "site", "--secret-stdin", data=app["secret"].encode() + b"\n"),
               desk.call("certificate", "robot")]
    box.control("certificate", client_id=app["client_id"],
                pem=re.search(r"-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----\n", results[-1].out, re.S).group(0))
    results.append(desk.call(*words, "--name", "robot", "--certificate", str(desk.config.parent / "robot.pem")))
    results.append(desk.call("--account", "sandbox", "-v", "-i", "ann@example.org", data=b"Subject: x\n\ny\n", program="sendmail"))
    results.append(desk.call("refresh", "sandbox"))
    box.control("revoke", what="all", user="me@sandbox.example")
    held = desk.call("--account", "sandbox", "-v", "-i", "ann@example.org", data=b"Subject: x\n\ny\n", program="sendmail")
    same(held.code, 78, repr(held))
    for result in results:
        same(result.code, 0, repr(result))
    return "".join([terminal.shown for terminal in terminals] + [result.out + result.err for result in [*results, held]])


def test_login_leaves_no_credential_outside_keyring_and_cache(case):
    box = case.box("--device-interval", "1")
    desk = Desk(case, box)
    secret = box.app(public=False)["secret"].encode()
    watch = ArgvAndEnvironment(case.programs)
    try:
        shown = sign_in_every_way(case, box, desk)
        token = desk.call("token", "site")
    finally:
        seen = watch.stop()
    # That the search would find: a token that was asked for, into a pipe.
    holds(token.code == 0 and MARKS.search(token.out.encode()), "a token is not known by its marks")
    places = {f"argv and environment of {name}": b"\0".join(words) for name, words in seen.items() if name != "mailbearer-sandbox"}
    missing = {"mailbearer", "mailbearer-agent", "mailbearer-helper", "sendmail"} - seen.keys()
    holds(not missing, f"not seen running: {missing}")
    places["what was shown"] = shown.encode()
    runtime = pathlib.Path(f"/run/user/{desk.uid}/mailbearer")
    for folder in (case.folder, runtime):
        for path in folder.rglob("*") if folder.is_dir() else ():
            if path.is_file() and box.folder not in path.parents:
                places[str(path)] = path.read_bytes()
    holds(any("refresh-token" in name for name in places), "nothing was stored")
    for place, data in places.items():
        # The certificate's own file is where its key belongs.
        found = MARKS.search(data) if not place.endswith("/robot.pem") else None
        holds(not found and secret not in data, f"a credential in {place}: {found and found.group(0)[:8]}")
