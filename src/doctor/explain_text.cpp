#include "base/text.h"
#include "doctor/explain.h"
#include "doctor/explain_words.h"

namespace doctor {

namespace {

constexpr std::size_t label_width = 10;
constexpr std::size_t line_width = 78;

// "label     text", wrapped at blanks below itself.
std::string labelled(std::string_view label, std::string_view text) {
  std::string out;
  std::string line(label);
  line.append(label_width - label.size(), ' ');
  bool empty = true;
  for (const std::string& word : base::words(text)) {
    if (!empty && line.size() + 1 + word.size() > line_width) {
      out += line + "\n";
      line.assign(label_width, ' ');
      empty = true;
    }
    line += (empty ? "" : " ") + word;
    empty = false;
  }
  return out + line + "\n";
}

std::string class_sentence(const base::Error& error) {
  switch (error.kind) {
    case base::FaultClass::permanent:
      return "permanent: this message will not go as it is";
    case base::FaultClass::hold:
      return "waits for a person: the message is sound, something else must be mended first";
    case base::FaultClass::temporary:
      break;
  }
  const std::string wait =
      error.retry_after_s > 0 ? " after " + std::to_string(error.retry_after_s) + " s" : "";
  return "temporary: worth another try" + wait;
}

std::string row_sentence(const Meaning& meaning) {
  std::string fit = base::matcher_in_words(*meaning.row);
  if (base::is_exact(*meaning.row)) return fit;
  return "unknown reply, judged by its code: " + fit;
}

std::string one_meaning(const Meaning& meaning) {
  return labelled("means", meaning.error.cause) + labelled("", meaning.row->meaning) +
         labelled("class", class_sentence(meaning.error)) +
         labelled("exit", std::to_string(meaning.exit)) + labelled("cure", meaning.error.cure) +
         labelled("row", row_sentence(meaning));
}

std::string told_stages(const Meaning& meaning) {
  constexpr std::size_t most = 3;
  std::string out;
  for (std::size_t i = 0; i < meaning.stages.size() && i < most; ++i) {
    out += (out.empty() ? "" : ", ") + std::string(stage_told(meaning.stages[i]));
  }
  return meaning.stages.size() > most ? out + " and so on" : out;
}

}  // namespace

std::string explanation_text(const Explanation& explanation) {
  std::string out = explanation.reply + "\n\n";
  const Meaning& likeliest = explanation.meanings.front();
  if (likeliest.row == nullptr) {
    return out + labelled("means", "no refusal: 2xx says yes, 3xx asks for more");
  }
  out += one_meaning(likeliest);
  if (explanation.meanings.size() == 1) return out;
  out += labelled("taken as", told_stages(likeliest)) + "\n";
  for (std::size_t i = 1; i < explanation.meanings.size(); ++i) {
    const Meaning& other = explanation.meanings[i];
    out += labelled(i == 1 ? "elsewhere" : "",
                    told_stages(other) + ": exit " + std::to_string(other.exit) + ", " +
                        std::string(class_words(other.error.kind)) + ", " + other.error.cause);
  }
  return out;
}

}  // namespace doctor
