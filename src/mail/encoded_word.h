// encoded_word: text beyond ASCII as RFC 2047 encoded words, folded so that no word is over 75 and
// no line with one over 76 octets. UTF-8 when it is valid, else taken for windows-1252. Internal to
// the room. Trusts: nothing; control bytes become blanks. Linear.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

// "utf-8" or "windows-1252".
std::string_view charset_of(std::string_view text);

// A word of a text: what stands before it, how it is written, what it means.
struct Word {
  std::string_view blank{};  // white space before it, as written
  std::string_view raw{};
  std::string meaning{};  // without quotes and backslashes
  bool beyond_ascii = false;
  bool encoded = false;  // an encoded word already
};

bool is_encoded_word(std::string_view raw);

// The body of one field while it is written anew.
class FoldedText {
 public:
  explicit FoldedText(std::size_t name_size) : column_(name_size + 1) {}
  void add_raw(std::string_view text);
  void add_encoded(std::string_view meaning);
  // Words in a row: runs from the first to the last word beyond ASCII become encoded words, so that
  // the blanks inside survive; all else stays as it is written.
  void add_words(const std::vector<Word>& words);
  std::string take() { return std::move(out_); }

 private:
  void add(std::string_view text);
  void fold_before_blank();
  std::string out_{};
  std::size_t column_;
  bool after_encoded_ = false;  // the last thing added was an encoded word
  bool encoded_on_line_ = false;
};

}  // namespace mail
