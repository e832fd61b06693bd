// encode_header and encode_words of mime.h: which parts of which field become encoded words.
#include <algorithm>

#include "base/text.h"
#include "mail/address_field.h"
#include "mail/encoded_word.h"
#include "mail/idn.h"
#include "mail/mime.h"

namespace mail {
namespace {

Word word_of(std::string_view blank, std::string_view raw, std::string meaning) {
  return {blank, raw, std::move(meaning), !base::is_ascii(raw), is_encoded_word(raw)};
}

bool is_white(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::size_t skip(std::string_view text, std::size_t at, bool white) {
  while (at < text.size() && is_white(text[at]) == white) ++at;
  return at;
}

std::vector<Word> words_of_text(std::string_view text) {
  std::vector<Word> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = skip(text, at, true);
    const std::size_t end = skip(text, begin, false);
    const std::string_view raw = text.substr(begin, end - begin);
    words.push_back(word_of(text.substr(at, begin - at), raw, std::string(raw)));
    at = end;
  }
  return words;
}

void encode_unstructured(Field& field) {
  FoldedText text(field.name.size());
  text.add_words(words_of_text(field.body));
  field.body = text.take();
}

std::string without_backslashes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    if (text[i] != '\r' && text[i] != '\n') out += text[i];
  }
  return out;
}

// The words of a phrase: pieces without white space between them are one word.
std::vector<Word> words_of_phrase(std::string_view phrase) {
  std::vector<Word> words;
  std::size_t blank_at = 0;
  std::size_t begin = 0;
  std::string meaning;
  const auto finish = [&](std::size_t end) {
    if (end > begin || end == phrase.size())
      words.push_back(word_of(phrase.substr(blank_at, begin - blank_at),
                              phrase.substr(begin, end - begin), std::move(meaning)));
    meaning.clear();
    blank_at = end;
  };
  for (const Piece& piece : pieces_of(phrase).value_or(std::vector<Piece>())) {
    const std::string_view text = piece.place.of(phrase);
    if (piece.kind == Lexeme::blank) {
      finish(piece.place.at);
      begin = piece.place.end();
    } else if (piece.kind == Lexeme::quoted) {
      meaning += without_backslashes(text.substr(1, text.size() - 2));
    } else {
      meaning += without_backslashes(text);
    }
  }
  finish(phrase.size());
  return words;
}

// A comment with its parentheses; those inside it stay, and no word reaches over one.
void add_comment(FoldedText& out, std::string_view comment) {
  std::vector<Word> words;
  std::size_t blank_at = 0;
  for (std::size_t at = 0; at < comment.size();) {
    if (is_white(comment[at])) {
      ++at;
      continue;
    }
    const bool parenthesis = comment[at] == '(' || comment[at] == ')';
    std::size_t end = at + 1;
    if (!parenthesis) {
      end = at;
      while (end < comment.size() && !is_white(comment[end]) && comment[end] != '(' &&
             comment[end] != ')')
        end += comment[end] == '\\' && end + 1 < comment.size() ? 2U : 1U;
    }
    const std::string_view blank = comment.substr(blank_at, at - blank_at);
    const std::string_view raw = comment.substr(at, end - at);
    if (parenthesis) {
      out.add_words(words);
      words.clear();
      out.add_raw(blank);
      out.add_raw(raw);
    } else {
      words.push_back(word_of(blank, raw, without_backslashes(raw)));
    }
    blank_at = at = end;
  }
  out.add_words(words);
}

// A-labels for the domains whose local part is ASCII: such an address needs no SMTPUTF8.
void encode_domains(Field& field, const AddressField& read) {
  std::vector<Edit> edits;
  for (const AddressPlace& place : read.addresses) {
    const std::size_t at = place.plain.rfind('@');
    if (at == std::string::npos || base::is_ascii(place.plain)) continue;
    const base::Result<std::string> domain = to_a_labels(place.plain.substr(at + 1));
    const std::string local = place.plain.substr(0, at);
    if (base::is_ascii(local) && domain.ok())
      edits.push_back({place.spec, local + "@" + domain.value()});
  }
  if (!edits.empty()) field.body = with_edits(field.body, edits);
}

struct Text {
  Place place{};
  bool comment = false;
};

// Names and comments in their order. A name ends where a comment inside it begins.
std::vector<Text> texts_of(const AddressField& read, std::string_view body) {
  std::vector<Text> texts;
  for (const Place& comment : read.comments) texts.push_back({comment, true});
  std::vector<Place> names = read.phrases;
  // Bytes that are no UTF-8 cannot be an address anywhere: shown as text rather than sent raw.
  for (const AddressPlace& address : read.addresses)
    if (!base::is_utf8(address.plain)) names.push_back(address.spec);
  for (const Place& name : names) {
    std::size_t from = name.at;
    for (const Piece& piece : pieces_of(name.of(body)).value_or(std::vector<Piece>())) {
      if (piece.kind != Lexeme::comment) continue;
      const std::size_t at = name.at + piece.place.at;
      if (at > from) texts.push_back({{from, at - from}, false});
      from = at + piece.place.size;
    }
    if (name.end() > from) texts.push_back({{from, name.end() - from}, false});
  }
  std::sort(texts.begin(), texts.end(),
            [](const Text& a, const Text& b) { return a.place.at < b.place.at; });
  return texts;
}

bool encode_addresses(Field& field) {
  std::optional<AddressField> read = read_address_field(field.body);
  if (!read) return false;
  encode_domains(field, *read);
  read = read_address_field(field.body);
  if (!read) return false;
  const std::string_view body = field.body;
  FoldedText out(field.name.size());
  std::size_t at = 0;
  for (const Text& text : texts_of(*read, body)) {
    out.add_raw(body.substr(at, text.place.at - at));
    if (base::is_ascii(text.place.of(body)))
      out.add_raw(text.place.of(body));
    else if (text.comment)
      add_comment(out, text.place.of(body));
    else
      out.add_words(words_of_phrase(text.place.of(body)));
    at = text.place.end();
  }
  out.add_raw(body.substr(at));
  field.body = out.take();
  return true;
}

// --- RFC 2231: parameters of Content-Type and Content-Disposition.

constexpr std::size_t parameter_piece = 50;  // octets of a value on one line

std::string percent_encoded(std::string_view name, std::string_view value) {
  std::vector<std::string> pieces(1);
  for (const char& c : value) {
    if (pieces.back().size() > parameter_piece) pieces.emplace_back();
    pieces.back() += base::percent_encode(std::string_view(&c, 1), "-._");
  }
  std::string out;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    out += (i > 0 ? ";\r\n " : "") + std::string(name);
    out += pieces.size() > 1 ? "*" + std::to_string(i) + "*=" : "*=";
    out += (i == 0 ? std::string(charset_of(value)) + "''" : "") + pieces[i];
  }
  return out;
}

// One parameter with its blanks; nothing when it is not of the form name=value.
std::optional<std::string> encode_parameter(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const std::string_view name = base::trim(text.substr(0, equals));
  std::string_view value = base::trim(text.substr(equals + 1));
  if (name.empty() || !base::is_ascii(name) || name.find_first_of("* ()\"") != name.npos)
    return std::nullopt;
  std::string meaning(value);
  if (value.front() == '"') {
    if (value.size() < 2 || value.back() != '"') return std::nullopt;
    meaning = without_backslashes(value.substr(1, value.size() - 2));
  }
  const std::string_view blank = text.substr(0, skip(text, 0, true));
  return std::string(blank) + percent_encoded(name, meaning);
}

bool encode_parameters(Field& field) {
  const std::optional<std::vector<Piece>> pieces = pieces_of(field.body);
  if (!pieces) return false;
  std::string out;
  std::size_t from = 0;
  const auto finish = [&](std::size_t end) {
    const std::string_view part = std::string_view(field.body).substr(from, end - from);
    if (base::is_ascii(part)) {
      out += part;
      return true;
    }
    const std::optional<std::string> encoded =
        from == 0 ? std::optional<std::string>() : encode_parameter(part);
    out += encoded.value_or("");
    return encoded.has_value();
  };
  for (const Piece& piece : *pieces) {
    if (piece.kind != Lexeme::special || field.body[piece.place.at] != ';') continue;
    if (!finish(piece.place.at)) return false;
    out += ';';
    from = piece.place.end();
  }
  if (!finish(field.body.size())) return false;
  field.body = out;
  return true;
}

}  // namespace

std::string encode_words(std::string_view text) {
  if (base::is_ascii(text)) return std::string(text);
  FoldedText out(0);
  out.add_encoded(text);
  return out.take();
}

void encode_header(Header& header) {
  for (Field& field : header.fields) {
    if (base::is_ascii(field.body)) continue;
    const bool has_parameters =
        is_named(field, "Content-Type") || is_named(field, "Content-Disposition");
    if (has_parameters && encode_parameters(field)) continue;
    if (is_address_field(field.name) && encode_addresses(field)) continue;
    encode_unstructured(field);
  }
}

}  // namespace mail
