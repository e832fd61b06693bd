"""The accounts that the corpus is sent with, as facts for the model and as text for mailbearer.conf.

Keys and their meaning: design section 3. The test adds host, port and endpoints.
"""

import dataclasses
import socket


@dataclasses.dataclass(frozen=True)
class Setup:
    name: str
    user: str = "mailer@example.org"
    senders: tuple = ()  # the key `from`; the user itself always counts
    rewrite_from: str = "never"
    domain: str = "example.org"
    local_mail_to: tuple = ()
    null_sender: str = "keep"


ALIASES = {
    "root": ["ops@example.org"],
    "postmaster": ["root"],
    "alice": ["alice.example@example.net"],
    "team": ["ann@example.org", "bob@example.org", "alice"],
}

SETUPS = {
    setup.name: setup
    for setup in (
        # Everything may send: what most of the corpus needs, since it is about bytes.
        Setup("open", senders=("*",), local_mail_to=("catchall@example.org",)),
        # A server's account: mail from elsewhere is rewritten; no catch-all.
        Setup("narrow", senders=("mailer@example.org", "*@apps.example.org"), rewrite_from="auto"),
        Setup("always", rewrite_from="always", local_mail_to=("catchall@example.org",)),
        # A person's account.
        Setup("person", user="me@example.org", senders=("me@example.org", "zoe@example.org")),
        Setup("no-null", senders=("*",), local_mail_to=("catchall@example.org",), null_sender="user"),
    )
}


def host_names():
    """The domains whose recipients are local: localhost and this host's names."""
    names = {"localhost", "localhost.localdomain", socket.gethostname().lower(), socket.getfqdn().lower()}
    return {name for name in names if name}


def aliases_text():
    return "# aliases(5)\n" + "".join(f"{name}: {', '.join(targets)}\n" for name, targets in ALIASES.items())
