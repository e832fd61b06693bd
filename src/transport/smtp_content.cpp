#include <utility>

#include "base/text.h"
#include "transport/smtp_transaction.h"

// The second half of a transaction: the content and the verdict on it.

namespace transport {

// RFC 3030 4.2: MAIL, RCPT and the whole of the message leave together. Should the recipient be
// refused, the server refuses the content, too.
void Transaction::all_in_one_flight() {
  send_all_in_one();
  dialogue_.set_content_in_air(false);
}

void Transaction::send_all_in_one() {
  base::Done noted = note_end();
  if (!noted) {
    give_up(noted.error());
    return;
  }
  const std::string lead = opening() + lines_[0].command;
  const std::string shown = lead + "BDAT " + std::to_string(message_.size_bytes()) +
                            " LAST (message)\n" + std::string(behind());
  content_in_air_ = true;
  dialogue_.mark_sent();
  dialogue_.set_content_in_air(true);
  ContentWriter writer(Framing::counted, [this, &shown](std::string_view bytes, bool) {
    return dialogue_.send(bytes, Stage::end, shown);
  });
  writer.lead(lead);
  base::Done sent = send_content(writer, behind());
  if (!sent) {
    content_in_air_ = sent.error().fault == base::Fault::outcome_unknown;
    lost(sent.error());
    return;
  }
  if (!read_mail_reply() || !read_rcpt_reply(lines_[0])) return;
  if (lines_[0].standing == Standing::accepted) {
    final_reply();
    return;
  }
  // What it says to a message for nobody must be out of the way. Taken for nobody, it cannot be
  // told which reply was whose.
  const base::Result<Reply> answer = dialogue_.reply(Stage::end);
  if (answer && answer->positive()) {
    lines_[0].standing = Standing::open;
    fates_[0].error.cause = "server refused " + base::clean(lines_[0].address, 128) +
                            " and took the message all the same";
    outcome_unknown(fates_[0].error);
    return;
  }
  if (!answer || answer->code < 500 || quits_ || dialogue_.says_more()) dialogue_.hang_up();
}

void Transaction::content() {
  const Framing framing = by_chunks() ? Framing::counted : Framing::dots;
  const std::string shown =
      "(message, " + std::to_string(message_.size_bytes()) + " octets)\n" + std::string(behind());
  ContentWriter writer(framing, [this, &shown](std::string_view bytes, bool last) {
    return send_piece(bytes, last, last ? std::string_view(shown) : std::string_view());
  });
  base::Done sent = send_content(writer, behind());
  if (sent) {
    final_reply();
  } else if (sent.error().fault == base::Fault::outcome_unknown) {
    outcome_unknown(std::move(sent).error());
  } else if (refusal_ && chunks_ == 0) {
    give_up(*refusal_);
  } else {
    // Its end was not handed over: the server cannot have the message.
    abandon(sent.error());
  }
}

base::Done Transaction::send_content(ContentWriter& writer, std::string_view behind) {
  base::Done fed = writer.feed(message_.message.header.text());
  if (fed) fed = writer.feed("\r\n");
  if (fed) {
    fed = message_.message.bytes.each_piece(
        message_.message.body_offset,
        [&writer](std::string_view piece) { return writer.feed(piece); });
  }
  if (!fed) return fed;
  return writer.finish(behind);
}

// Whoever keeps a queue writes down that the outcome may be lost from here on.
base::Done Transaction::note_end() const {
  return delivery_.before_end ? delivery_.before_end(share_.first, share_.count) : base::done();
}

base::Done Transaction::send_piece(std::string_view bytes, bool last, std::string_view shown) {
  base::Done noted = last ? note_end() : base::done();
  if (!noted) return noted;
  const Stage stage = last ? Stage::end : Stage::content;
  base::Done heard = hear_chunks(!dialogue_.offers().pipelining);
  if (!heard) return heard;
  base::Done sent =
      chunks_ > 0 ? dialogue_.send_ahead(bytes, stage, shown) : dialogue_.send(bytes, stage, shown);
  if (sent && !last && by_chunks()) ++chunks_;
  return sent;
}

// Each chunk has its answer; those that are there already say whether going on is of any use. The
// first refusal is the verdict; what follows it are refusals, too, and must be read all the same
// where the connection is to serve on.
base::Done Transaction::hear_chunks(bool all) {
  while (chunks_ > 0) {
    if (!all) {
      base::Result<bool> replying = dialogue_.replying();
      if (!replying || !*replying) break;
    }
    base::Result<Reply> answer = dialogue_.reply(Stage::content);
    if (!answer) return std::move(answer).error();
    --chunks_;
    if (answer->positive()) continue;
    base::Error judged = judged_end(*answer);
    if (answer->code == 421 || answer->more_wanted()) return judged;
    if (!refusal_) refusal_ = std::move(judged);
    if (!all) break;
  }
  if (refusal_) return *refusal_;
  return base::done();
}

void Transaction::final_reply() {
  // The end of the message has left: what is lost from here on may have been delivered, unless one
  // of its chunks was refused.
  base::Done heard = hear_chunks(true);
  if (!heard && !refusal_) {
    if (heard.error().said.starts_with("421")) {
      abandon(heard.error());
    } else {
      outcome_unknown(std::move(heard).error());
    }
    return;
  }
  base::Result<Reply> answer = chunks_ == 0 ? dialogue_.reply(Stage::end) : heard.error();
  if (refusal_) {
    const bool taken = answer.ok() && answer->positive();
    if (taken) {
      outcome_unknown(*refusal_);  // taken without one of its chunks
    } else if (!answer || dialogue_.says_more()) {
      abandon(*refusal_);
    } else {
      settle_rest(*refusal_);
    }
  } else if (!answer || answer->more_wanted()) {
    outcome_unknown(answer ? dialogue_.judged(*answer, Stage::end) : answer.error());
  } else if (dialogue_.says_more()) {
    // Which of them is the verdict cannot be told.
    base::Error error = dialogue_.judged(*answer, Stage::end);
    error.fault = base::Fault::protocol;
    error.cause = dialogue_.server() + " sent more replies than it was asked for";
    outcome_unknown(std::move(error));
  } else {
    take_final_reply(*answer);
  }
  // RFC 3030 2: behind a refused chunk the server waits for RSET.
  dialogue_.set_needs_reset(refusal_.has_value());
  if (quits_ || !answer || answer->code == 421) dialogue_.hang_up();
}

void Transaction::take_final_reply(const Reply& answer) {
  if (!answer.positive()) {
    settle_rest(judged_end(answer));
    return;
  }
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (lines_[i].standing != Standing::accepted) continue;
    lines_[i].standing = Standing::settled;
    fates_[i].state = base::Fate::State::delivered;
    fates_[i].error = base::Error();
    fates_[i].said = one_line(answer);
  }
}

namespace {

// A server that does not know BDAT after all, or Exchange Online, which answers it with a complaint
// about the header (MailKit issue 904). Nothing was taken, and DATA will do.
bool refuses_chunks(const Reply& answer) {
  if (answer.code == 500 || answer.code == 502 || answer.code == 504) return true;
  return answer.code == 552 && base::lower(answer.text).find("header size") != std::string::npos;
}

}  // namespace

base::Error Transaction::judged_end(const Reply& answer) {
  base::Error error = dialogue_.judged(answer, Stage::end);
  if (by_chunks() && refuses_chunks(answer)) {
    wants_data_ = true;
    error.cause = "server offers CHUNKING and refuses it";
    error.cure = "set chunking = no";
  }
  return error;
}

// The server may have the message and may have taken it.
void Transaction::outcome_unknown(base::Error error) {
  wants_data_ = false;
  error.fault = base::Fault::outcome_unknown;
  error.kind = base::FaultClass::temporary;
  error.cause = "outcome unknown, may have been delivered: " + error.cause;
  error.cure = "look for it at the recipient before sending it again";
  abandon(error);
}

}  // namespace transport
