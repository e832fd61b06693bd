// reencode_with_gmime of mime.h. GMime finds the parts and where they stand, and holds the codecs;
// it never prints anything: what is not re-encoded is copied from the original, byte for byte.
// Memory: the headers of all parts; contents stream through 32 KiB.
#include <gmime/gmime.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "mail/mime.h"
#include "mail/mime_input.h"
#include "mail/range.h"

namespace mail {
namespace {

constexpr std::uint64_t line_limit = 998;
constexpr std::size_t field_limit = std::size_t{1024} * 1024;

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <typename T>
using Owned = std::unique_ptr<T, Unref>;

// One stretch of the original and what stands in its place.
struct Change {
  std::uint64_t at = 0;
  std::uint64_t size = 0;
  std::string text{};
  bool content = false;  // not `text`, but the stretch itself, re-encoded
  GMimeContentEncoding from = GMIME_CONTENT_ENCODING_DEFAULT;
  GMimeContentEncoding to = GMIME_CONTENT_ENCODING_DEFAULT;
};

base::Error refusal(const std::string& cause, const std::string& cure) {
  return base::failure(base::Fault::bad_message, cause, cure);
}

std::string reason(const RangeFacts& facts) {
  if (facts.nul) return "a NUL byte";
  if (facts.longest_line > line_limit) return "a line over 998 octets";
  return "8-bit text, which the server does not take";
}

bool is_bad(const RangeFacts& facts, bool seven_bit) {
  return facts.nul || facts.longest_line > line_limit || (seven_bit && facts.eight_bit > 0);
}

std::string type_of(GMimeObject* object) {
  GMimeContentType* type = g_mime_object_get_content_type(object);
  if (type == nullptr) return "text/plain";
  char* name = g_mime_content_type_get_mime_type(type);
  std::string lower = base::lower(name == nullptr ? "" : name);
  g_free(name);
  return lower;
}

bool is_sealed(const std::string& type) {
  return type == "multipart/signed" || type == "multipart/encrypted" ||
         type == "application/pkcs7-mime" || type == "application/x-pkcs7-mime";
}

// Plans the changes; the message itself is only read.
class Plan {
 public:
  Plan(const base::Scratch& whole, bool seven_bit) : whole_(whole), seven_bit_(seven_bit) {}

  base::Done make(GMimeMessage* message) {
    waiting_.push_back({g_mime_message_get_mime_part(message), false, message, true});
    while (!waiting_.empty()) {
      const Visit visit = waiting_.back();
      waiting_.pop_back();
      if (visit.object == nullptr) continue;
      if (base::Done done = look(visit); !done.ok()) return done;
    }
    std::stable_sort(changes_.begin(), changes_.end(),
                     [](const Change& a, const Change& b) { return a.at < b.at; });
    return base::done();
  }

  const std::vector<Change>& changes() const { return changes_; }

 private:
  struct Visit {
    GMimeObject* object = nullptr;
    bool sealed = false;              // inside something signed or encrypted
    GMimeMessage* message = nullptr;  // whose body the object is, or null
    bool outermost = false;           // its header is the message's own, which is clean already
  };

  base::Done look(const Visit& visit) {
    const bool sealed = visit.sealed || is_sealed(type_of(visit.object));
    own_changes_ = changes_.size();
    if (!visit.outermost) {
      base::Done done = mend_fields(g_mime_object_get_header_list(visit.object), visit.sealed);
      if (done.ok() && visit.message != nullptr)
        done =
            mend_fields(g_mime_object_get_header_list(GMIME_OBJECT(visit.message)), visit.sealed);
      if (!done.ok()) return done;
    }
    if (GMIME_IS_MULTIPART(visit.object)) {
      GMimeMultipart* parts = GMIME_MULTIPART(visit.object);
      for (int i = 0; i < g_mime_multipart_get_count(parts); ++i)
        waiting_.push_back({g_mime_multipart_get_part(parts, i), sealed, nullptr, false});
    } else if (GMIME_IS_MESSAGE_PART(visit.object)) {
      GMimeMessage* inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(visit.object));
      if (inner != nullptr)
        waiting_.push_back({g_mime_message_get_mime_part(inner), sealed, inner, false});
    } else if (GMIME_IS_PART(visit.object)) {
      return judge_leaf(visit, sealed);
    }
    return base::done();
  }

  // The bytes of a field, with its line end.
  base::Result<std::string> field_at(std::uint64_t at) const {
    std::string text;
    const auto end_from = [&text](std::size_t from) {
      for (std::size_t i = text.find('\n', from); i != std::string::npos;
           i = text.find('\n', i + 1))
        if (i + 1 < text.size() && !base::is_blank(text[i + 1])) return i + 1;
      return std::string::npos;
    };
    while (text.size() < field_limit) {
      std::array<char, 512> buffer{};
      const auto read = whole_.read_at(at + text.size(), buffer.data(), buffer.size());
      if (!read.ok()) return read.error();
      const std::size_t before = text.empty() ? 0 : text.size() - 1;
      text.append(buffer.data(), read.value());
      const std::size_t end = end_from(before);
      if (end != std::string::npos) return text.substr(0, end);
      if (read.value() == 0) return text;
    }
    return refusal("a header field of a part is over 1 MiB", "shorten it");
  }

  // Header fields of parts obey the same limits as those of the message.
  base::Done mend_fields(GMimeHeaderList* list, bool sealed) {
    for (int i = 0; i < g_mime_header_list_get_count(list); ++i) {
      const gint64 offset = g_mime_header_get_offset(g_mime_header_list_get_header_at(list, i));
      if (offset < 0) continue;
      const auto at = static_cast<std::uint64_t>(offset);
      const base::Result<std::string> text = field_at(at);
      if (!text.ok()) return text.error();
      const auto facts = measure_range(whole_, at, at + text.value().size());
      if (!facts.ok()) return facts.error();
      const std::size_t colon = text.value().find(':');
      if (!is_bad(facts.value(), seven_bit_) || colon == std::string::npos) continue;
      if (sealed || facts.value().nul) return sealed_refusal(facts.value());
      Header one;
      const std::string_view body = std::string_view(text.value()).substr(colon + 1);
      one.fields.push_back({text.value().substr(0, colon),
                            std::string(body.substr(0, body.find_last_not_of("\r\n") + 1))});
      if (seven_bit_) encode_header(one);
      if (base::Done done = fold_long_fields(one); !done.ok()) return done;
      changes_.push_back({at, text.value().size(), one.text()});
    }
    return base::done();
  }

  static base::Error sealed_refusal(const RangeFacts& facts) {
    return refusal("a signed or encrypted part has " + reason(facts),
                   "encode the part before signing it");
  }

  base::Done judge_leaf(const Visit& visit, bool sealed) {
    GMimeDataWrapper* content = g_mime_part_get_content(GMIME_PART(visit.object));
    GMimeStream* stream = content == nullptr ? nullptr : g_mime_data_wrapper_get_stream(content);
    if (stream == nullptr) return base::done();
    const gint64 last =
        stream->bound_end < 0 ? static_cast<gint64>(whole_.size_bytes()) : stream->bound_end;
    const auto begin = static_cast<std::uint64_t>(stream->bound_start);
    const auto end = static_cast<std::uint64_t>(last);
    const base::Result<RangeFacts> facts = measure_range(whole_, begin, end);
    if (!facts.ok()) return facts.error();
    if (!is_bad(facts.value(), seven_bit_)) return base::done();
    if (sealed) return sealed_refusal(facts.value());
    return change_leaf(visit, facts.value(), begin, end);
  }

  base::Done change_leaf(const Visit& visit, const RangeFacts& facts, std::uint64_t begin,
                         std::uint64_t end) {
    Change content{begin, end - begin, "", true};
    const std::string type = type_of(visit.object);
    if (type == "message/partial" || type == "message/external-body")
      return refusal("a part of type " + type + " has " + reason(facts), "send it another way");
    const base::Result<GMimeContentEncoding> from = encoding_of(visit.object);
    if (!from.ok()) return from.error();
    content.from = from.value();
    content.to = encoding_for(type, content.from, facts);
    const std::string field = std::string("Content-Transfer-Encoding: ") +
                              g_mime_content_encoding_to_string(content.to) + "\r\n";
    const base::Result<bool> replaced = replace_encoding_field(visit.object, field);
    if (!replaced.ok()) return replaced.error();
    const std::string added = missing_fields(visit, facts) + (replaced.value() ? "" : field);
    changes_.push_back(content);
    return added.empty() ? base::done() : insert_before_content(begin, added);
  }

  // What a message that never heard of MIME needs besides.
  static std::string missing_fields(const Visit& visit, const RangeFacts& facts) {
    std::string added;
    if (visit.message == nullptr) return added;
    GMimeObject* message = GMIME_OBJECT(visit.message);
    if (g_mime_object_get_header(message, "MIME-Version") == nullptr)
      added = "MIME-Version: 1.0\r\n";
    GMimeHeaderList* own = g_mime_object_get_header_list(visit.object);
    GMimeHeader* type = g_mime_header_list_get_header(own, "Content-Type");
    if (type == nullptr || g_mime_header_get_offset(type) < 0)
      added += std::string("Content-Type: text/plain; charset=") +
               (facts.eight_bit == 0 ? "us-ascii"
                : facts.utf8         ? "utf-8"
                                     : "unknown-8bit") +
               "\r\n";
    return added;
  }

  static base::Result<GMimeContentEncoding> encoding_of(GMimeObject* part) {
    GMimeHeaderList* list = g_mime_object_get_header_list(part);
    GMimeHeader* header = g_mime_header_list_get_header(list, "Content-Transfer-Encoding");
    const char* value = header == nullptr ? nullptr : g_mime_header_get_value(header);
    const std::string name = base::lower(base::trim(value == nullptr ? "" : value));
    if (name == "base64") return GMIME_CONTENT_ENCODING_BASE64;
    if (name == "quoted-printable") return GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
    if (name.empty() || name == "7bit" || name == "8bit" || name == "binary")
      return GMIME_CONTENT_ENCODING_DEFAULT;
    return refusal(
        "a part with Content-Transfer-Encoding " + base::clean(name, 40) + " has to be re-encoded",
        "use base64");
  }

  static GMimeContentEncoding encoding_for(const std::string& type, GMimeContentEncoding from,
                                           const RangeFacts& facts) {
    if (from != GMIME_CONTENT_ENCODING_DEFAULT) return from;
    const bool text = type.rfind("text/", 0) == 0 || type.rfind("message/", 0) == 0;
    // Quoted-printable takes three octets for one; beyond a fifth base64 is shorter.
    return text && facts.eight_bit * 5 < facts.size ? GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE
                                                    : GMIME_CONTENT_ENCODING_BASE64;
  }

  // Every field of that name goes; the first is replaced. False: there was none.
  base::Result<bool> replace_encoding_field(GMimeObject* part, const std::string& field) {
    GMimeHeaderList* list = g_mime_object_get_header_list(part);
    bool replaced = false;
    for (int i = 0; i < g_mime_header_list_get_count(list); ++i) {
      GMimeHeader* header = g_mime_header_list_get_header_at(list, i);
      const gint64 offset = g_mime_header_get_offset(header);
      if (offset < 0 || !base::same_ignoring_case(base::trim(g_mime_header_get_name(header)),
                                                  "Content-Transfer-Encoding"))
        continue;
      const auto at = static_cast<std::uint64_t>(offset);
      const base::Result<std::string> old = field_at(at);
      if (!old.ok()) return old.error();
      const auto own = changes_.begin() + static_cast<std::ptrdiff_t>(own_changes_);
      changes_.erase(std::remove_if(own, changes_.end(),
                                    [at](const Change& change) { return change.at == at; }),
                     changes_.end());
      changes_.push_back({at, old.value().size(), replaced ? "" : field});
      replaced = true;
    }
    return replaced;
  }

  // Before the empty line in front of the content; with one where the header ends without.
  base::Done insert_before_content(std::uint64_t begin, const std::string& fields) {
    std::array<char, 4> before{};
    const std::uint64_t count = std::min<std::uint64_t>(begin, before.size());
    const auto read = whole_.read_at(begin - count, before.data(), static_cast<std::size_t>(count));
    if (!read.ok()) return read.error();
    const std::string_view end(before.data(), read.value());
    if (end == "\r\n\r\n" || end == "\r\n")
      changes_.push_back({begin - 2, 0, fields});
    else
      changes_.insert(changes_.end() - 1, {begin, 0, fields + "\r\n"});
    return base::done();
  }

  const base::Scratch& whole_;
  bool seven_bit_;
  std::vector<Visit> waiting_{};
  std::vector<Change> changes_{};
  std::size_t own_changes_ = 0;  // index of the first change to the object at hand
};

// Decoder, encoder and CRLF in a row. Used without GMime's streams: their reader cannot tell the
// end from a failure.
class Recoder {
 public:
  explicit Recoder(const Change& change) {
    if (change.from != GMIME_CONTENT_ENCODING_DEFAULT)
      filters_.emplace_back(g_mime_filter_basic_new(change.from, FALSE));
    filters_.emplace_back(g_mime_filter_basic_new(change.to, TRUE));
    filters_.emplace_back(g_mime_filter_unix2dos_new(FALSE));
  }

  std::string take(std::string_view piece, bool last) {
    std::string bytes(piece);
    for (const Owned<GMimeFilter>& filter : filters_) {
      char* out = nullptr;
      std::size_t size = 0;
      std::size_t prespace = 0;
      const auto run = last ? g_mime_filter_complete : g_mime_filter_filter;
      run(filter.get(), bytes.data(), bytes.size(), 0, &out, &size, &prespace);
      bytes = std::string(out, size);
    }
    return bytes;
  }

 private:
  std::vector<Owned<GMimeFilter>> filters_{};
};

// The content of one leaf, decoded and encoded anew.
base::Done append_content(const base::Scratch& whole, const Change& change, base::Scratch& out) {
  const std::uint64_t end = change.at + change.size;
  // Base64 ends in a line end of its own; before a boundary one stands there already.
  const bool hold = change.to == GMIME_CONTENT_ENCODING_BASE64 && end != whole.size_bytes();
  Recoder recoder(change);
  std::string held;
  const auto take = [&](std::string_view piece) {
    held += recoder.take(piece, false);
    const std::size_t keep = hold ? std::min<std::size_t>(2, held.size()) : 0;
    base::Done done = out.append(std::string_view(held).substr(0, held.size() - keep));
    held.erase(0, held.size() - keep);
    return done;
  };
  base::Done done = each_piece_of(whole, change.at, end, take);
  if (!done.ok()) return done;
  held += recoder.take({}, true);
  if (hold && held.ends_with("\r\n")) held.resize(held.size() - 2);
  return out.append(held);
}

base::Result<base::Scratch> carry_out(const base::Scratch& whole,
                                      const std::vector<Change>& changes) {
  base::Scratch out;
  const auto copy = [&out](std::string_view piece) { return out.append(piece); };
  std::uint64_t at = 0;
  for (const Change& change : changes) {
    const std::uint64_t end = change.at + change.size;
    base::Done done = each_piece_of(whole, at, change.at, copy);
    if (done.ok() && change.content)
      done = append_content(whole, change, out);
    else if (done.ok())
      done = out.append(change.text);
    if (!done.ok()) return std::move(done).error();
    at = end;
  }
  base::Done done = each_piece_of(whole, at, whole.size_bytes(), copy);
  if (!done.ok()) return std::move(done).error();
  return out;
}

}  // namespace

base::Result<base::Scratch> reencode_with_gmime(const base::Scratch& whole, bool seven_bit) {
  static const bool ready = (g_mime_init(), true);
  static_cast<void>(ready);
  base::Done few = count_boundaries(whole);
  if (!few.ok()) return std::move(few).error();
  base::Result<base::Fd> file = as_file(whole);
  if (!file.ok()) return std::move(file).error();
  Plan plan(whole, seven_bit);
  {
    const Owned<GMimeStream> source(g_mime_stream_fs_new(file.value().get()));
    g_mime_stream_fs_set_owner(GMIME_STREAM_FS(source.get()), FALSE);
    const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(source.get()));
    const Owned<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), nullptr));
    if (!message) return refusal("its MIME structure cannot be read", "check the message");
    if (base::Done done = plan.make(message.get()); !done.ok()) return std::move(done).error();
  }
  base::Result<base::Scratch> out = carry_out(whole, plan.changes());
  if (!out.ok()) return out;
  const auto facts = measure_range(out.value(), 0, out.value().size_bytes());
  if (!facts.ok()) return facts.error();
  if (is_bad(facts.value(), seven_bit))
    return refusal("outside its parts there is " + reason(facts.value()), "check the message");
  return out;
}

}  // namespace mail
