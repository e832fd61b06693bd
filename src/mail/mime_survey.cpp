// survey_with_gmime of mime_survey.h.
#include "mail/mime_survey.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/text.h"
#include "mail/mime_boundary.h"
#include "mail/mime_input.h"

namespace mail {

namespace {

constexpr std::size_t name_limit = 255;
constexpr std::size_t id_limit = 500;

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <typename T>
using Owned = std::unique_ptr<T, Unref>;

base::Error refusal(const std::string& cause, const std::string& cure) {
  return base::failure(base::Fault::bad_message, cause, cure);
}

base::Error unclear() {
  return refusal("its MIME structure cannot be taken apart", "send it in a single archive");
}

std::string text_of(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

std::string type_of(GMimeObject* object) {
  GMimeContentType* type = g_mime_object_get_content_type(object);
  if (type == nullptr) return "text/plain";
  char* name = g_mime_content_type_get_mime_type(type);
  std::string lower = base::lower(text_of(name));
  g_free(name);
  return lower;
}

bool is_sealed(const std::string& type) {
  return type == "multipart/signed" || type == "multipart/encrypted" ||
         type == "application/pkcs7-mime" || type == "application/x-pkcs7-mime";
}

bool is_text(const std::string& type) {
  return type.rfind("text/", 0) == 0;
}

// Fit to be a file's name anywhere; cut between characters.
std::string sound_name(std::string name) {
  if (!base::is_utf8(name)) name = base::clean(name, name_limit);
  for (char& c : name) {
    if (base::is_control(c) || c == '/' || c == '\\') c = '_';
  }
  name = std::string(base::trim(name));
  if (name.size() <= name_limit) return name;
  std::size_t end = name_limit;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return name.substr(0, end);
}

std::string file_name(GMimeObject* object) {
  const char* name = g_mime_object_get_content_disposition_parameter(object, "filename");
  if (name == nullptr) name = g_mime_object_get_content_type_parameter(object, "name");
  return sound_name(text_of(name));
}

std::string disposition_of(GMimeObject* object) {
  return base::lower(text_of(g_mime_object_get_disposition(object)));
}

std::string content_id_of(GMimeObject* object) {
  const std::string id = text_of(g_mime_object_get_content_id(object));
  return id.size() > id_limit || base::has_control(id) ? std::string() : id;
}

// Where the header begins, if it has fields.
std::optional<std::uint64_t> header_begin(GMimeObject* object) {
  GMimeHeaderList* list = g_mime_object_get_header_list(object);
  std::optional<std::uint64_t> first;
  for (int i = 0; i < g_mime_header_list_get_count(list); ++i) {
    const gint64 at = g_mime_header_get_offset(g_mime_header_list_get_header_at(list, i));
    if (at < 0) continue;
    const auto offset = static_cast<std::uint64_t>(at);
    if (!first || offset < *first) first = offset;
  }
  return first;
}

// None: an encoding that we cannot take off.
std::optional<PartEncoding> encoding_of(GMimeObject* part) {
  GMimeHeader* header = g_mime_header_list_get_header(g_mime_object_get_header_list(part),
                                                      "Content-Transfer-Encoding");
  const char* value = header == nullptr ? nullptr : g_mime_header_get_value(header);
  const std::string name = base::lower(base::trim(value == nullptr ? "" : value));
  if (name == "base64") return PartEncoding::base64;
  if (name == "quoted-printable") return PartEncoding::quoted_printable;
  if (name.empty() || name == "7bit" || name == "8bit" || name == "binary") {
    return PartEncoding::none;
  }
  return std::nullopt;
}

// Walks through the parts in the order of the message.
class Surveyor {
 public:
  Surveyor(const base::Scratch& whole, Survey& out) : whole_(whole), out_(out) {}

  base::Done make(GMimeMessage* message) {
    waiting_.push_back({g_mime_message_get_mime_part(message), {}, false});
    while (!waiting_.empty()) {
      const Visit visit = waiting_.back();
      waiting_.pop_back();
      if (visit.object == nullptr) continue;
      if (is_sealed(type_of(visit.object))) {
        return refusal("a signed or encrypted message cannot be sent in parts",
                       "send it by an account with transport = smtp");
      }
      base::Done looked = GMIME_IS_MULTIPART(visit.object) ? open(visit) : judge(visit);
      if (!looked) return looked;
    }
    return base::done();
  }

 private:
  struct Visit {
    GMimeObject* object = nullptr;
    std::optional<std::size_t> parent{};  // its multipart
    bool is_text = false;                 // belongs to what is shown: a root, a branch
  };
  struct Parent {
    std::string type{};
    std::string boundary{};
    std::optional<std::size_t> parent{};
  };

  base::Done open(const Visit& visit) {
    GMimeMultipart* parts = GMIME_MULTIPART(visit.object);
    const std::string type = type_of(visit.object);
    const std::size_t number = parents_.size();
    const int count = g_mime_multipart_get_count(parts);
    parents_.push_back({type, text_of(g_mime_multipart_get_boundary(parts)), visit.parent});
    out_.children.push_back(static_cast<std::size_t>(count));
    const bool together = type == "multipart/alternative" || type == "multipart/appledouble" ||
                          type == "multipart/report" || type == "multipart/digest";
    const std::string start =
        text_of(g_mime_object_get_content_type_parameter(visit.object, "start"));
    for (int i = count - 1; i >= 0; --i) {
      GMimeObject* part = g_mime_multipart_get_part(parts, i);
      const bool root = type == "multipart/related" &&
                        (start.empty() ? i == 0
                                       : part != nullptr &&
                                             start.find(content_id_of(part)) != std::string::npos &&
                                             !content_id_of(part).empty());
      waiting_.push_back({part, number, together || root});
    }
    return base::done();
  }

  base::Done judge(const Visit& visit) {
    ++leaves_;
    if (!visit.parent) return base::done();  // the message is this part, and no container
    const std::string type = type_of(visit.object);
    const std::string disposition = disposition_of(visit.object);
    const bool attached = disposition == "attachment";
    const std::string name = file_name(visit.object);
    const bool shown = is_text(type) && !attached && (name.empty() || leaves_ == 1);
    if (shown || (visit.is_text && !attached)) return base::done();
    if (type == "message/partial" || type == "message/external-body") return base::done();
    Candidate one;
    one.parent = *visit.parent;
    const std::optional<PartEncoding> encoding = encoding_of(visit.object);
    if (!encoding) return base::done();
    one.encoding = *encoding;
    one.facts.type = type;
    one.facts.content_id = content_id_of(visit.object);
    const bool related = parents_[one.parent].type == "multipart/related";
    // Outlook hides what is inline and has no content id.
    one.facts.is_inline =
        !one.facts.content_id.empty() && (related ? !attached : disposition == "inline");
    one.facts.name = name.empty() ? invented_name(type) : name;
    one.only_its_place = !one.facts.is_inline && !is_text(type) && type.rfind("message/", 0) != 0;
    return place(visit.object, std::move(one));
  }

  std::string invented_name(const std::string& type) const {
    const std::string number = std::to_string(leaves_);
    return type == "message/rfc822" ? "message-" + number + ".eml" : "attachment-" + number;
  }

  // Where it stands. What cannot be found surely is left where it is.
  base::Done place(GMimeObject* object, Candidate one) {
    const std::optional<Stretch> content = content_of(object);
    const std::string& boundary = parents_[one.parent].boundary;
    if (!content || content->begin < 2 || boundary.empty()) return base::done();
    one.content = content->begin;
    base::Result<std::optional<Stretch>> line =
        line_before(whole_, header_begin(object).value_or(one.content), boundary);
    if (!line) return std::move(line).error();
    if (!*line) return base::done();
    base::Result<std::uint64_t> end = end_of(content->end, one);
    if (!end) return std::move(end).error();
    one.begin = (*line)->begin;
    one.line_end = (*line)->end;
    one.content_end = std::max(*end, one.content);
    one.end = std::min(*end + 2, whole_.size_bytes());
    const bool in_order = out_.candidates.empty() || out_.candidates.back().end <= one.begin;
    const bool found = *end != 0 && one.content >= one.line_end;
    if (in_order && found) out_.candidates.push_back(std::move(one));
    return base::done();
  }

  // As GMime found it; an end of 0 has still to be looked for.
  std::optional<Stretch> content_of(GMimeObject* object) const {
    if (GMIME_IS_MESSAGE_PART(object)) {
      GMimeMessage* inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
      const auto first = inner == nullptr ? std::nullopt : header_begin(GMIME_OBJECT(inner));
      return first ? std::optional<Stretch>({*first, 0}) : std::nullopt;
    }
    if (!GMIME_IS_PART(object)) return std::nullopt;
    GMimeDataWrapper* content = g_mime_part_get_content(GMIME_PART(object));
    GMimeStream* stream = content == nullptr ? nullptr : g_mime_data_wrapper_get_stream(content);
    if (stream == nullptr) return std::nullopt;
    const auto begin = static_cast<std::uint64_t>(stream->bound_start);
    const std::uint64_t end =
        stream->bound_end < 0 ? whole_.size_bytes() : static_cast<std::uint64_t>(stream->bound_end);
    return Stretch{begin, std::max(begin, end)};
  }

  // The line end before the boundary that ends it. 0: it is ended by something else, as in a
  // multipart that was never closed.
  base::Result<std::uint64_t> end_of(std::uint64_t expected, const Candidate& one) const {
    const std::uint64_t from = (expected == 0 ? one.content : expected) - 2;
    base::Result<std::uint64_t> end =
        end_before_boundary(whole_, from, parents_[one.parent].boundary);
    if (!end) return end;
    if (expected != 0) return *end > expected ? std::uint64_t{0} : *end;
    for (auto up = parents_[one.parent].parent; up; up = parents_[*up].parent) {
      base::Result<std::uint64_t> other = end_before_boundary(whole_, from, parents_[*up].boundary);
      if (!other) return other;
      if (*other < *end) return std::uint64_t{0};
    }
    return end;
  }

  const base::Scratch& whole_;
  Survey& out_;
  std::vector<Visit> waiting_{};
  std::vector<Parent> parents_{};
  std::size_t leaves_ = 0;
};

}  // namespace

base::Result<Survey> survey_with_gmime(const base::Scratch& whole) {
  static const bool ready = (g_mime_init(), true);
  static_cast<void>(ready);
  base::Done few = count_boundaries(whole);
  if (!few) return std::move(few).error();
  base::Result<base::Fd> file = as_file(whole);
  if (!file) return std::move(file).error();
  const Owned<GMimeStream> source(g_mime_stream_fs_new(file->get()));
  g_mime_stream_fs_set_owner(GMIME_STREAM_FS(source.get()), FALSE);
  const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(source.get()));
  const Owned<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), nullptr));
  if (!message) return unclear();
  Survey survey;
  base::Done made = Surveyor(whole, survey).make(message.get());
  if (!made) return std::move(made).error();
  return survey;
}

}  // namespace mail
