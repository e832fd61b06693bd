#include "verb/manual_text.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

namespace verb {

namespace {

constexpr std::size_t page_limit_bytes = 256UL * 1024;
constexpr std::string_view before = "setup-";
constexpr std::string_view behind = ".md";

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

std::string pages_folder() {
  const std::string folder = base::program_folder();
  const bool installed = folder == MAILBEARER_LIBEXEC || folder == MAILBEARER_BIN;
  for (const char* up : {"/../../docs", "/../../../docs"}) {
    std::string in_tree = folder + up;
    const base::Fd there(open(in_tree.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!installed && there.open()) return in_tree;
  }
  return std::string(MAILBEARER_DATA) + "/docs";
}

}  // namespace

std::vector<std::string> setup_pages() {
  std::vector<std::string> out;
  const std::unique_ptr<DIR, CloseFolder> folder(opendir(pages_folder().c_str()));
  while (const dirent* entry = folder ? readdir(folder.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(before) || !name.ends_with(behind)) continue;
    out.emplace_back(name.substr(before.size(), name.size() - before.size() - behind.size()));
  }
  std::sort(out.begin(), out.end());
  return out;
}

base::Result<std::string> setup_page(const std::string& name) {
  const std::vector<std::string> pages = setup_pages();
  if (std::find(pages.begin(), pages.end(), name) == pages.end()) {
    std::string all;
    for (const std::string& each : pages) all += (all.empty() ? "" : ", ") + each;
    return base::failure(
        base::Fault::usage,
        name.empty() ? "which page is not said" : "no page `" + base::clean(name, 60) + "`",
        all.empty() ? "install them: " + pages_folder()
                    : "use: mailbearer help setup NAME, with one of " + all);
  }
  const std::string path = pages_folder() + "/" + std::string(before) + name + std::string(behind);
  const base::Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.open()) return base::failure_errno(base::Fault::io, "cannot open " + path, errno);
  return base::read_all(file.get(), page_limit_bytes, path);
}

}  // namespace verb
