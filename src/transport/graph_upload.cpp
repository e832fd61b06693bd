#include "transport/graph_upload.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/process.h"
#include "base/text.h"
#include "transport/graph_session.h"
#include "transport/graph_split.h"
#include "transport/graph_step.h"
#include "transport/smtp.h"
#include "transport/smtp_transaction.h"

namespace transport {

namespace {

using Again = GraphStep::Again;

constexpr std::uint64_t attachment_limit = std::uint64_t{150} * 1024 * 1024;
constexpr std::size_t parts_limit = 40;
constexpr std::int64_t split_ms = 120'000;
constexpr int drafts_limit = 3;
constexpr std::int64_t megabyte = 1'000'000;
constexpr const char* orphan = "; a draft of it may be left, delete it";

// What became of one draft.
struct End {
  bool sent = false;
  bool begin_anew = false;
  GraphAnswer answer{};  // to the last request, when it was sent
  base::Error error{};   // unless sent
};

End failed(base::Error error) {
  End end;
  end.error = std::move(error);
  return end;
}

class Upload {
 public:
  Upload(const Delivery& delivery, const mail::Split& split, const Phases& phases)
      : delivery_(delivery),
        split_(split),
        phases_(phases),
        steps_(delivery, split.bytes, base::Deadline::after_ms(phases.attempt_ms)) {
    total_ = split.rest_size;
    for (const mail::SplitPart& part : split.parts) total_ += part.size;
  }

  End run() {
    End end;
    for (int drafts = 0; drafts < drafts_limit; ++drafts) {
      end = one_draft();
      if (!end.begin_anew) return end;
    }
    return end;
  }

 private:
  End one_draft() {
    done_ = 0;
    base::Result<std::string> draft = make_draft();
    if (!draft) return failed(std::move(draft).error());
    const std::string url = graph_mailbox(*delivery_.account) + "/messages/" + *draft;
    End end = fill(url);
    if (end.error.cause.empty()) end = send(url);
    const bool unknown = !end.sent && end.error.fault == base::Fault::outcome_unknown;
    if (!end.sent && !unknown) remove(url, end.error);
    return end;
  }

  base::Result<std::string> make_draft() {
    GraphStep step{"draft", graph_mailbox(*delivery_.account) + "/messages"};
    step.fields = {{"offset", "0"}, {"size", std::to_string(split_.rest_size)}};
    step.with_file = true;
    step.bytes = split_.rest_size * 4 / 3;
    step.again = Again::if_refused;
    base::Result<StepAnswer> answer = steps_.make(step);
    if (!answer) {
      base::Error error = std::move(answer).error();
      if (error.fault == base::Fault::outcome_unknown) error.cure += orphan;
      return not_sent(std::move(error));
    }
    if (answer->verdict.status == 201 && !answer->id.empty()) {
      passed(split_.rest_size);
      done_ = split_.rest_size;
      return base::percent_encode(answer->id);
    }
    base::Error error = not_sent(answer->verdict.judged.error);
    if (answer->verdict.status < 300) {
      error = base::failure(base::Fault::protocol, "Graph did not name the draft that it made",
                            "try again");
    }
    if (may_have_been_done(answer->verdict)) error.cure += orphan;
    return error;
  }

  End fill(const std::string& url) {
    AttachmentPlace place{url, {}};
    for (const std::string& host : delivery_.account->graph_upload_hosts) {
      place.upload_hosts += host + " ";
    }
    for (const mail::SplitPart& part : split_.parts) {
      base::Result<bool> attached =
          attach(steps_, place, part, [this](std::uint64_t octets) { passed(done_ + octets); });
      if (!attached) return failed(std::move(attached).error());
      if (!*attached) return spoiled();
      done_ += part.size;
      passed(done_);
    }
    return {};
  }

  static End spoiled() {
    End end = failed(base::failure(base::Fault::unavailable,
                                   "answers of Graph were lost again and again", "try again"));
    end.begin_anew = true;
    return end;
  }

  End send(const std::string& url) {
    if (delivery_.before_end) {
      base::Done noted = delivery_.before_end(0, delivery_.message->envelope.recipients.size());
      if (!noted) return failed(std::move(noted).error());
    }
    GraphStep step{"send", url + "/send"};
    step.again = Again::never;
    base::Result<StepAnswer> answer = steps_.make(step);
    End end;
    if (!answer) {
      end.error = std::move(answer).error();
    } else if (answer->verdict.status == 202) {
      end.sent = true;
      end.answer = std::move(answer->verdict);
    } else {
      end.error = answer->verdict.judged.error;
      if (may_have_been_done(answer->verdict)) end.error = unknown_outcome(std::move(end.error));
    }
    if (!end.sent && end.error.fault == base::Fault::outcome_unknown) {
      end.error.cure = "look for it in Sent Items and Drafts before sending it again";
    }
    return end;
  }

  void remove(const std::string& url, base::Error& why) {
    base::Result<StepAnswer> answer = steps_.clean_up({"discard", url}, phases_.reply_ms);
    const int status = answer ? answer->verdict.status : 0;
    if (status == 204 || status == 200 || status == 404) return;
    why.cure += "; its draft could not be removed, delete it";
  }

  void passed(std::uint64_t octets) const {
    const auto rounded = [](std::uint64_t size) {
      return std::to_string((static_cast<std::int64_t>(size) + megabyte / 2) / megabyte);
    };
    base::tell(delivery_.trace, std::string(base::progress_mark) + "uploaded " + rounded(octets) +
                                    " of " + rounded(total_) + " MB");
  }

  const Delivery& delivery_;
  const mail::Split& split_;
  Phases phases_;
  GraphSteps steps_;
  std::uint64_t total_ = 0;
  std::uint64_t done_ = 0;  // parts that are there
};

base::Result<mail::Split> taken_apart(const Delivery& delivery, const base::Scratch& message,
                                      std::uint64_t rest_bytes) {
  base::Result<net::Record> request =
      split_request(message, {rest_bytes, attachment_limit, parts_limit});
  if (!request) return std::move(request).error();
  base::Result<net::Record> answer = delivery.ask(*request, base::Deadline::after_ms(split_ms));
  if (!answer) return not_sent(std::move(answer).error());
  return split_of(std::move(*answer));
}

}  // namespace

std::vector<base::Fate> deliver_by_upload(const Delivery& delivery, const base::Scratch& message,
                                          std::uint64_t rest_bytes) {
  const account::Account& account = *delivery.account;
  const auto all = [&](base::Error error) {
    if (error.account.empty()) error.account = account.name;
    return same_fate(delivery.message->envelope, error);
  };
  const base::SignalHold hold;  // until the draft is sent or removed
  base::Result<mail::Split> split = taken_apart(delivery, message, rest_bytes);
  if (!split) {
    // Not what this message is, but what Graph makes of it: another account may send it.
    const bool unfit = split.error().fault == base::Fault::bad_message;
    std::vector<base::Fate> fates = all(std::move(split).error());
    for (base::Fate& fate : fates) {
      if (unfit) fate.detour = base::Fate::Detour::fallback;
    }
    return fates;
  }
  const Phases phases = Phases::scaled(account.timeout_s, message.size_bytes() * 4 / 3);
  End end = Upload(delivery, *split, phases).run();
  return end.sent ? graph_fates(delivery, std::move(end.answer)) : all(std::move(end.error));
}

std::string graph_mailbox(const account::Account& account) {
  std::string base = account.graph_endpoint;
  while (!base.empty() && base.back() == '/') base.pop_back();
  if (account.grant == account::Grant::user) return base + "/me";
  return base + "/users/" + base::percent_encode(account.user, "-._~@");
}

}  // namespace transport
