"""Group corpus: every case through the real program and real servers, compared with the model.

A worker has doors of its own at Postfix, whose name stands in Postfix's Received field; so each delivery is
known to belong to the case that the worker has just sent, without a mark in the message.
"""

import queue
import threading

import bench
import compare
import corpus
import model
import setups

ARRIVAL_S = 15


def run(stand, checks, workers, select=""):
    checks.group("corpus")
    todo = queue.SimpleQueue()
    for case in corpus.everything():
        if select and select not in case.name:
            continue
        if case.excluded:
            checks.exclude(case.excluded)
        else:
            todo.put(case)
    threads = [threading.Thread(target=work, args=(stand, checks, todo, f"w{number}")) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Whatever was refused must not have been delivered, not even late.
    stand.rig.postfix.wait_until_empty()
    strays = stand.rig.sink.take_all()
    checks.check("nothing was delivered that no case accounts for", [describe(stray) for stray in strays])


def describe(delivery):
    return f"{delivery.door} {delivery.queue_id} to {delivery.addresses()}: {delivery.message[:200]!r}"


def work(stand, checks, todo, door):
    while True:
        try:
            case = todo.get_nowait()
        except queue.Empty:
            return
        try:
            faults = judge(stand, case, door + ("-7bit" if case.server == "7bit" else ""))
        except Exception as fault:  # pylint: disable=broad-except
            faults = [f"the test itself failed: {fault!r}"]
        checks.check(case.name, faults)


def judge(stand, case, door):
    expected = model.expect(
        case.argv, case.stdin, setups.SETUPS[case.setup], stand.caller(), case.server != "7bit"
    )
    wrong = corpus.told_wrong(case, expected)
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
    return faults + compare.compare(
        expected, delivery.sender, delivery.sender_parameters, delivery.recipients, delivery.message
    )
