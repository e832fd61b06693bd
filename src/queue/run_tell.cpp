// What senders are told: bounces, delay warnings, summaries. A bounce is committed to the spool
// before its message is marked as told, under an id that is made from the message's: a crash
// between the two makes no second one.
#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/seal.h"
#include "base/text.h"
#include "queue/run.h"
#include "queue/run_inside.h"

namespace queue {

namespace {

std::string id_of_notice(const std::string& kind, const std::string& id, const Indices& about) {
  std::string words = kind + " " + id;
  for (const std::uint32_t index : about) words += " " + std::to_string(index);
  return base::sha256_hex(words).substr(0, 32);
}

Indices untold(const Progress& progress) {
  Indices out;
  for (std::uint32_t i = 0; i < progress.recipients.size(); ++i) {
    const RecipientState& one = progress.recipients[i];
    if (one.state == State::refused && !one.told) out.push_back(i);
  }
  return out;
}

const mail::Envelope& envelope_of(const Stored& stored) {
  return stored.progress.resolution ? stored.progress.resolution->envelope
                                    : stored.arrival.envelope;
}

// Those of them whose NOTIFY asks for it.
std::vector<Failure> wanted(const Stored& stored, const Indices& about, Notice notice) {
  std::vector<Failure> out;
  for (const std::uint32_t index : about) {
    const mail::Recipient& recipient = envelope_of(stored).recipients.at(index);
    // Of a bounce that is lost a person hears in any case.
    if (!stored.birth.bounce && !is_wanted(notice, recipient)) continue;
    const base::Error* reply = stored.progress.reply_to(index);
    out.push_back({recipient, reply != nullptr ? *reply : base::Error{}});
  }
  return out;
}

bool unanswerable(const Stored& stored) {
  const mail::Envelope& envelope = stored.arrival.envelope;
  return stored.birth.bounce || (envelope.sender_given && envelope.sender.null());
}

std::string key_of(const Addressee& to, const base::Error& error, const char* kind) {
  std::string key = std::string(kind) + " " + cause_key(error);
  for (const mail::Mailbox& mailbox : to.mailboxes) key += " " + mail::identity(mailbox);
  return key;
}

}  // namespace

AccountFacts Queue::Inside::facts_of(const Held& held) const {
  const std::lock_guard lock(mutex_);
  return desk_.account(desk_.entry(held->slot).account).facts;
}

BounceFacts Queue::Inside::bounce_facts(const Stored& stored, const AccountFacts& account) const {
  BounceFacts facts;
  facts.of = stored.birth.id;
  facts.now_wall_s = base::wall_seconds();
  facts.arrived_wall_s = stored.birth.at_wall_s;
  facts.account = account.name;
  return facts;
}

// Into the queue, as any other message; it is root's, so that no user's limits stop it.
base::Done Queue::Inside::post(const mail::Submission& notice, const std::string& account,
                               std::string& id) {
  base::Result<Accepted> accepted = accept(notice, account, true);
  if (!accepted) return std::move(accepted).error();
  id = accepted->id;
  return base::done();
}

Queue::Inside::Telling Queue::Inside::tell_failures(const Held& held, Settled& settled) {
  Stored& stored = held->stored;
  const Indices about = untold(stored.progress);
  if (about.empty() || stored.progress.hold == Hold::undeliverable) return Telling::done;
  BounceFacts facts = bounce_facts(stored, facts_of(held));
  facts.failures = wanted(stored, about, Notice::failed);
  if (!facts.failures.empty()) {
    const AccountFacts account = facts_of(held);
    const Addressee to = addressee(stored.arrival.envelope, account.rules);
    if (unanswerable(stored) || to.mailboxes.empty()) {
      const base::Error& why = facts.failures.front().error;
      Holding holding{now_ms(), stored.progress.waited_ms, Hold::undeliverable, {}};
      holding.cause =
          (unanswerable(stored) ? "refused, and it has no sender to tell: "
                                : "refused, and nobody can be told (set local_mail_to): ") +
          (why.said.empty() ? why.cause : why.said);
      held->pending += note_hold(stored.progress, holding);
      return Telling::nobody;
    }
    const std::string key = key_of(to, facts.failures.front().error, "failed");
    {
      const std::lock_guard lock(mutex_);
      if (!storm_.may_tell(key, stored.birth.id, now_ms())) return Telling::later;
    }
    facts.id = id_of_notice("failed", stored.birth.id, about);
    const base::Result<mail::Submission> message = Spool::submission(stored);
    base::Done posted = message ? base::done() : base::Done(message.error());
    if (message) {
      base::Result<mail::Submission> bounce =
          make_bounce(facts, stored.arrival.envelope, message->message, account.rules, to);
      posted = bounce ? post(*bounce, account.name, settled.bounce) : base::Done(bounce.error());
    }
    if (!posted) {
      const std::lock_guard lock(mutex_);
      storm_.may_tell(key, stored.birth.id, now_ms());  // it is not: for the next summary
      return Telling::later;
    }
    tell({Event::Kind::bounced, stored.birth.id, account.name, settled.bounce, {}, 1});
  }
  held->pending += note_told(stored.progress, about);
  return Telling::done;
}

// Once a message, and no more than one an interval for one sender: the delay of all is told by one.
void Queue::Inside::warn(const Held& held) {
  Stored& stored = held->stored;
  Indices about;
  for (std::uint32_t i = 0; i < stored.progress.recipients.size(); ++i) {
    if (stored.progress.recipients[i].state == State::waiting) about.push_back(i);
  }
  const AccountFacts account = facts_of(held);
  BounceFacts facts = bounce_facts(stored, account);
  facts.notice = Notice::delayed;
  facts.failures = wanted(stored, about, Notice::delayed);
  const Addressee to = addressee(stored.arrival.envelope, account.rules);
  bool now = !facts.failures.empty() && !to.mailboxes.empty() && !unanswerable(stored);
  if (now) {
    const std::lock_guard lock(mutex_);
    now = storm_.may_tell_alone(key_of(to, base::Error{}, "delayed"), now_ms());
    const QueueMs age = desk_.age_ms(desk_.entry(held->slot), now_ms());
    facts.until_wall_s = facts.now_wall_s + account.patience.retry_for_s - age / 1000;
  }
  if (now) {
    facts.id = id_of_notice("delayed", stored.birth.id, {});
    const base::Result<mail::Submission> message = Spool::submission(stored);
    if (!message) return;
    base::Result<mail::Submission> notice =
        make_bounce(facts, stored.arrival.envelope, message->message, account.rules, to);
    std::string id;
    if (!notice || !post(*notice, account.name, id)) return;
    tell({Event::Kind::delayed, stored.birth.id, account.name, id, {}, 1});
  }
  held->pending += note_warned(stored.progress);
}

void Queue::Inside::tell_of_success(const Held& held, const Indices& delivered) {
  const Stored& stored = held->stored;
  const AccountFacts account = facts_of(held);
  BounceFacts facts = bounce_facts(stored, account);
  facts.notice = Notice::relayed;
  facts.failures = wanted(stored, delivered, Notice::relayed);
  const Addressee to = addressee(stored.arrival.envelope, account.rules);
  if (facts.failures.empty() || unanswerable(stored) || to.mailboxes.empty() || to.inside) return;
  facts.id = id_of_notice("relayed", stored.birth.id, delivered);
  const base::Result<mail::Submission> message = Spool::submission(stored);
  if (!message) return;
  base::Result<mail::Submission> notice =
      make_bounce(facts, stored.arrival.envelope, message->message, account.rules, to);
  std::string id;
  if (notice) post(*notice, account.name, id).ok();  // it arrived all the same
}

// Several messages of one sender and one cause.
void Queue::Inside::summarise(const std::vector<std::string>& ids) {
  std::vector<Held> all;
  std::vector<Told> rows;
  Addressee to;
  AccountFacts account;
  for (const std::string& id : ids) {
    base::Result<Held> claimed = claim(id, std::nullopt);
    if (!claimed) continue;
    const Held& held = *claimed;
    const Indices about = untold(held->stored.progress);
    base::Result<mail::Submission> message = Spool::submission(held->stored);
    if (about.empty() || !message) {
      put_back(held);
      continue;
    }
    account = facts_of(held);
    to = addressee(held->stored.arrival.envelope, account.rules);
    Told row;
    row.id = id;
    row.arrived_wall_s = held->stored.birth.at_wall_s;
    if (const mail::Field* field = message->message.header.find("Subject"))
      row.subject = mail::unfold(field->body);
    if (const mail::Field* field = message->message.header.find("Message-ID"))
      row.message_id = mail::unfold(field->body);
    row.failures = wanted(held->stored, about, Notice::failed);
    rows.push_back(std::move(row));
    all.push_back(held);
  }
  if (all.empty()) return;
  BounceFacts facts = bounce_facts(all.front()->stored, account);
  std::string words;
  for (const Told& row : rows) words += row.id;
  facts.id = base::sha256_hex("summary " + words).substr(0, 32);
  base::Result<mail::Submission> summary = make_summary(facts, rows, account.rules, to);
  std::string id;
  const bool posted = summary.ok() && post(*summary, account.name, id).ok();
  if (posted) {
    tell({Event::Kind::summarised, id, account.name, "", {}, all.size()});
  }
  for (const Held& held : all) {
    if (posted) held->pending += note_told(held->stored.progress, untold(held->stored.progress));
    Settled settled;
    conclude(held, settled);
  }
}

}  // namespace queue
