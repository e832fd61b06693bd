// spool_file: opening, judging, reading and writing one file of the spool. Internal to the room.
// Every call is repeated after EINTR. Errors: Fault::io and Fault::cannot_create with errno.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace queue {

enum class Access : bool { read, write };

// A regular file of ours that nobody else may touch; anything else is Fault::bad_message.
base::Result<base::Fd> open_own(int folder, const std::string& name, Access access);
base::Result<std::uint64_t> size_of(int fd);
// Exactly `count` bytes, or fewer at the end of the file.
base::Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t count);
base::Done write_at(int fd, std::string_view bytes, std::uint64_t offset);
enum class What : std::uint8_t { data, all };
base::Done sync_file(int fd, What what);
base::Result<base::Fd> open_folder(int above, const std::string& name);

// With a cure where one is known: no room, read-only.
base::Error spool_error(const std::string& doing, int sys);

}  // namespace queue
