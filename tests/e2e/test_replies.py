"""Every reply of replies_expected.tsv through the real client: exit code, the line on standard error, and what `explain` says of it.

The class does not show in an exit of sendmail; `explain` tells it, and doctor_replies_table_test.cpp checks it, also for
what no client of ours can be told yet (managed identity, service accounts, Graph), and under sanitizers.
"""

import json
import pathlib
import re

from replies_server import Service
from rig import plain_build_only, weight

RECIPIENT = "you@else.example"
CLASSES = {"permanent": "permanent", "temporary": "temporary", "hold": "waits for a person"}


class Row:
    def __init__(self, line):
        self.channel, self.where, reply, exit_, self.kind, self.text = line.split("\t")
        self.reply, self.exit = reply.replace("\\n", "\n"), int(exit_)

    def __repr__(self):
        return f"{self.channel} {self.where}: {self.reply!r}"


def rows_of(channel):
    table = pathlib.Path(__file__).with_name("replies_expected.tsv").read_text()
    rows = [Row(line) for line in table.splitlines() if line and not line.startswith("#")]
    return [row for row in rows if row.channel == channel]


def judge_line(case, row, result):
    """The one line of sendmail, as the row wants it; the server's words stand where they came from."""
    case.same((result.code, result.out), (row.exit, ""), f"{row!r}\n{result!r}")
    if not re.fullmatch(rf'sendmail: not sent \(work\): (?:{row.text})(?: \[server: "[^\n]*"\])?\n', result.err):
        raise AssertionError(f"{row!r}\n  wanted: {row.text}\n  got:    {result.err}")
    case.holds("a-refresh-token" not in result.err and "a-password" not in result.err, "a secret on standard error")


def judge_explanation(case, person, row, stage, text):
    result = person.call("mailbearer", "explain", "--json", "--stage", stage, "-", data=text.encode())
    case.same((result.code, result.err), (0, ""), f"{row!r}\n{result!r}")
    told = json.loads(result.out)
    case.same((told["exit"], told["class"], told["kind"]), (row.exit, CLASSES[row.kind], row.channel), repr(row))


def through_smtp(case, part):
    with Service(case.folder) as service:
        by_token = case.person(service, name="by-token")
        by_password = case.person(service, name="by-password", account="auth = plain")
        for row in rows_of("smtp")[part::2]:
            person = by_password if row.where == "password" else by_token
            service.say(row.where, row.reply)
            result = person.send("-i", RECIPIENT)
            judge_line(case, row, result)
            # The words of the server, codes of further lines and the challenge aside.
            said = row.reply.split("\n")[-1]
            words = re.sub(r"^\d{3}[ -](\d\.\d+\.\d+ +)?", "", said)
            case.holds('[server: "' + said[:3] in result.err and words[:60] in result.err, f"{row!r}: {result.err}")
            # What a person has at hand is our line; of the reply alone the unit test asks the same.
            judge_explanation(case, person, row, row.where, result.err)


def through_the_token_endpoint(case, part):
    with Service(case.folder) as service:
        people = {"user": case.person(service, name="user"),
                  "app": case.person(service, name="app", account="grant = app\ntenant = contoso.example")}
        for row in [row for row in rows_of("token") if row.where in people][part::2]:
            person = people[row.where]
            person.forget_access_tokens()
            service.answer(row.reply)
            judge_line(case, row, person.send("-i", RECIPIENT))
            judge_explanation(case, person, row, "token", row.reply)


@weight(9)
@plain_build_only
def test_each_reply_of_smtp(case):
    through_smtp(case, 0)


@weight(9)
@plain_build_only
def test_each_other_reply_of_smtp(case):
    through_smtp(case, 1)


@weight(9)
@plain_build_only
def test_each_answer_of_the_token_endpoint(case):
    through_the_token_endpoint(case, 0)


@weight(9)
@plain_build_only
def test_each_other_answer_of_the_token_endpoint(case):
    through_the_token_endpoint(case, 1)


def test_the_table_is_large_enough(case):
    numbers = {channel: len(rows_of(channel)) for channel in ("smtp", "token", "graph")}
    case.holds(sum(numbers.values()) >= 120 and min(numbers.values()) >= 40, repr(numbers))


def test_the_scripted_server_takes_mail_when_nothing_is_wrong(case):
    """Otherwise a refusal of the rows above would say nothing."""
    with Service(case.folder) as service:
        for account in ("auth = xoauth2", "auth = plain"):
            case.person(service, name=account[-5:], account=account).send("-i", RECIPIENT).succeeded()
