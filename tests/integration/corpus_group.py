"""Group corpus: every case through the real program and real servers, compared with the model.

A case that can travel goes through a server with every extension, through one that lacks 8BITMIME, one that lacks
CHUNKING, one without PIPELINING, one without SMTPUTF8, and through one of the eleven that lack several of these, in
turn. A worker has doors of its own at Postfix, whose name stands in Postfix's Received field; so each delivery is known
to belong to the case that the worker has just sent, without a mark in the message.
"""

import queue
import threading

import bench
import compare
import corpus
import model
import setups
from postfix import EVERY_LACK, LACKS, corpus_door

ARRIVAL_S = 15
SINGLE = [lacks for lacks in EVERY_LACK if len(lacks) == 1]
SEVERAL = [lacks for lacks in EVERY_LACK if len(lacks) > 1]


def run(stand, checks, workers, select=""):
    checks.group("corpus")
    todo = queue.SimpleQueue()
    number = 0
    for case in corpus.everything():
        if select and select not in case.name:
            continue
        if case.excluded:
            checks.exclude(case.excluded)
            continue
        number += 1
        for lacks in servers_for(stand, case, number):
            todo.put((case, lacks))
    threads = [threading.Thread(target=work, args=(stand, checks, todo, worker)) for worker in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Whatever was refused must not have been delivered, not even late.
    stand.rig.postfix.wait_until_empty()
    strays = stand.rig.sink.take_all()
    checks.check("nothing was delivered that no case accounts for", [describe(stray) for stray in strays])


def servers_for(stand, case, number):
    """What the servers lack that this case is sent to."""
    if isinstance(model.expect(case.argv, case.stdin, setups.SETUPS[case.setup], stand.caller()), model.Refused):
        return ["8" if case.server == "7bit" else ""]  # it never gets to a server
    some = ["", *SINGLE, SEVERAL[number % len(SEVERAL)]]
    if case.server == "7bit":
        some = [lacks for lacks in EVERY_LACK if "8" in lacks]
    return some


def describe(delivery):
    return f"{delivery.door} {delivery.queue_id} to {delivery.addresses()}: {delivery.message[:200]!r}"


def work(stand, checks, todo, worker):
    while True:
        try:
            case, lacks = todo.get_nowait()
        except queue.Empty:
            return
        try:
            faults = judge(stand, case, corpus_door(worker, lacks), lacks)
        except Exception as fault:  # pylint: disable=broad-except
            faults = [f"the test itself failed: {fault!r}"]
        without = "".join(f" -{LACKS[letter].upper()}" for letter in lacks)
        checks.check(case.name + (f" [{without.strip()}]" if without else ""), faults)


def expectation(stand, case, lacks):
    expected = model.expect(case.argv, case.stdin, setups.SETUPS[case.setup], stand.caller(), "8" not in lacks)
    wrong = "" if "8" in lacks and case.server != "7bit" else corpus.told_wrong(case, expected)
    if "u" in lacks and not isinstance(expected, model.Refused) and expected.needs_utf8:
        expected = model.Refused((65,), "an address needs SMTPUTF8")
    return expected, wrong


def judge(stand, case, door, lacks):
    expected, wrong = expectation(stand, case, lacks)
    if wrong:
        return [f"the model is wrong: {wrong}"]
    configuration = stand.configuration(case.setup, door)
    outcome = stand.send(configuration, case.argv, case.stdin, case.argv0, case.stdin_kind, case.environment)
    if isinstance(expected, model.Refused):
        faults = bench.refusal_faults(outcome, expected.codes)
        delivery = stand.rig.sink.take(f"{door}.rig", 0 if outcome.code else ARRIVAL_S)
        return faults + ([f"delivered, but {expected.reason}: {describe(delivery)}"] if delivery else [])
    verbose = any(word == "-v" or word.startswith("-v") for word in case.argv)
    faults = []
    if outcome.code in expected.may_refuse:
        return bench.refusal_faults(outcome, expected.may_refuse)
    if outcome.code != 0:
        return [f"exit code {outcome.code}: {outcome.line().strip()}"]
    if outcome.stderr or (outcome.stdout and not verbose):
        faults.append(f"not silent: {outcome.stdout[:200]!r} {outcome.stderr[:200]!r}")
    delivery = stand.rig.sink.take(f"{door}.rig", ARRIVAL_S)
    if delivery is None:
        return faults + ["exit code 0, but nothing arrived"]
    faults += compare.compare(expected, delivery.sender, delivery.sender_parameters, delivery.recipients, delivery.message)
    if "8" in lacks and expected.needs_utf8 and delivery.message.partition(b"\r\n\r\n")[2].isascii():
        # SMTPUTF8 without 8BITMIME breaks RFC 6531 3.1; an address in UTF-8 can stand in the header no other way.
        faults = [fault for fault in faults if fault != compare.EIGHT_BIT_UNANNOUNCED]
    return faults
