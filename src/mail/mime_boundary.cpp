#include "mail/mime_boundary.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "mail/range.h"

namespace mail {

namespace {

// Blanks behind a boundary; nobody writes that many.
constexpr std::size_t line_rest_limit = 256;
constexpr std::uint64_t part_header_limit = std::uint64_t{256} * 1024;

// Whether what follows "--boundary" leaves it one: another boundary may begin with the same words.
// Nothing: that cannot be told yet.
std::optional<bool> is_boundary_line(std::string_view rest, bool whole) {
  if (rest.size() < line_rest_limit && !whole) return std::nullopt;
  if (rest.rfind("--", 0) == 0) rest.remove_prefix(2);
  while (!rest.empty() && base::is_blank(rest.front())) rest.remove_prefix(1);
  return rest.empty() || rest.rfind("\r\n", 0) == 0;
}

// Looks for a boundary line in what it is fed.
class BoundarySearch {
 public:
  BoundarySearch(std::uint64_t at, const std::string& boundary)
      : at_(at), line_("\r\n--" + boundary) {}

  void feed(std::string_view piece, bool last) {
    if (found_) return;
    held_ += piece;
    std::size_t keep = held_.size() - std::min(held_.size(), line_.size() - 1);
    for (std::size_t place = held_.find(line_); place != std::string::npos;
         place = held_.find(line_, place + 1)) {
      const std::optional<bool> sure =
          is_boundary_line(std::string_view(held_).substr(place + line_.size()), last);
      if (sure && *sure) found_ = at_ + place;
      if (!sure || *sure) {
        keep = place;
        break;
      }
    }
    held_.erase(0, keep);
    at_ += keep;
  }
  // Where the line end before it stands.
  std::optional<std::uint64_t> found() const { return found_; }

 private:
  std::uint64_t at_;
  std::string line_;
  std::string held_{};
  std::optional<std::uint64_t> found_{};
};

}  // namespace

base::Result<std::optional<Stretch>> line_before(const base::Scratch& whole, std::uint64_t at,
                                                 const std::string& boundary) {
  const std::uint64_t from = at - std::min(at, part_header_limit);
  std::string window;
  base::Done read = each_piece_of(whole, from, at, [&window](std::string_view piece) {
    window += piece;
    return base::done();
  });
  if (!read) return std::move(read).error();
  const std::string line = "\r\n--" + boundary;
  std::size_t found = window.rfind(line);
  while (found != std::string::npos &&
         !*is_boundary_line(std::string_view(window).substr(found + line.size()), true)) {
    if (found == 0) return std::optional<Stretch>();
    found = window.rfind(line, found - 1);
  }
  if (found == std::string::npos) return std::optional<Stretch>();
  const std::size_t end = window.find("\r\n", found + 2);
  if (end == std::string::npos) return std::optional<Stretch>();
  return std::optional<Stretch>({from + found + 2, from + end + 2});
}

base::Result<std::uint64_t> end_before_boundary(const base::Scratch& whole, std::uint64_t at,
                                                const std::string& boundary) {
  BoundarySearch search(at, boundary);
  constexpr std::uint64_t step = std::uint64_t{64} * 1024;
  for (std::uint64_t from = at; from < whole.size_bytes() && !search.found(); from += step) {
    const std::uint64_t to = std::min(from + step, whole.size_bytes());
    base::Done read = each_piece_of(whole, from, to, [&search](std::string_view piece) {
      search.feed(piece, false);
      return base::done();
    });
    if (!read) return std::move(read).error();
  }
  search.feed({}, true);
  return search.found().value_or(whole.size_bytes());
}

}  // namespace mail
