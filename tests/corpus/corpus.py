"""The corpus: every case as argv, standard input and the account it is sent with.

Three sources: recorded/ (real callers), shaped.py (by hand, one idea each), generated.py (combinations).
`python3 corpus.py` lists it and judges every case by the model, without sending anything.
"""

import dataclasses
import json
import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import command_line  # noqa: E402


@dataclasses.dataclass
class Case:
    name: str
    argv: list
    stdin: bytes
    argv0: str = "sendmail"
    setup: str = "open"
    server: str = ""  # "" or "7bit": a server without 8BITMIME
    environment: dict = dataclasses.field(default_factory=dict)
    stdin_kind: str = "pipe"  # pipe, file (unlinked), socket
    # What a person expects, where the model shall be checked too.
    recipients: list = None
    sender: str = None
    codes: tuple = None
    excluded: str = ""  # why it is not sent


def recorded():
    for path in sorted((pathlib.Path(__file__).parent / "recorded").glob("*.case")):
        line, _, data = path.read_bytes().partition(b"\n")
        facts = json.loads(line)
        case = Case("recorded/" + path.stem, facts["argv"], data, facts["argv0"])
        if facts.get("mode") == "smtp":
            case.excluded = "-bs belongs to a later issue"
        elif os.path.basename(case.argv0) in ("mailq", "newaliases"):
            case.excluded = f"{case.argv0} sends nothing"
        yield case
        if not case.excluded:
            # The same through an account that may not use most of these senders.
            yield dataclasses.replace(case, name=f"recorded, rewritten/{path.stem}", setup="narrow")


def everything():
    import generated
    import shaped

    cases = [*recorded(), *shaped.cases(), *generated.cases()]
    names = [case.name for case in cases]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise SystemExit(f"names used twice: {sorted(twice)}")
    for case in cases:
        if not case.excluded:
            try:
                command_line.parse(case.argv)
            except command_line.NotInThisIssue as why:
                case.excluded = str(why)
            except command_line.Usage:
                pass
    return cases


def told_wrong(case, answer):
    """Where a person wrote down what must come out: whether the model says something else."""
    import addresses
    import model

    refused = isinstance(answer, model.Refused)
    if case.codes is not None and (not refused or not set(answer.codes) & set(case.codes)):
        return f"must be refused with {case.codes}"
    if refused:
        return "must be sent" if case.recipients or case.sender is not None else ""
    written = sorted(addresses.written(*one) for one in answer.recipients)
    if case.recipients is not None and written != sorted(case.recipients):
        return f"recipients {written}, expected {sorted(case.recipients)}"
    sender = "" if answer.sender == ("", "") else addresses.written(*answer.sender)
    if case.sender is not None and sender != case.sender:
        return f"sender {sender}, expected {case.sender}"
    return ""


def main():
    import model
    from setups import SETUPS

    wrong = 0
    caller = model.Caller("root", "root")
    for case in everything():
        if case.excluded:
            print(f"{case.name:50} excluded: {case.excluded}")
            continue
        answer = model.expect(case.argv, case.stdin, SETUPS[case.setup], caller, case.server != "7bit")
        if told_wrong(case, answer):
            wrong += 1
            print(f"{case.name:50} THE MODEL IS WRONG: {told_wrong(case, answer)}")
        elif isinstance(answer, model.Refused):
            print(f"{case.name:50} {answer.codes} {answer.reason}")
        else:
            told = " ".join(f"{local}@{domain}" for local, domain in answer.recipients)[:90]
            print(f"{case.name:50} {'@'.join(answer.sender)} -> {told} {answer.reencode}")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
