// frame: one record of a spool file. Internal to the room; format.h has the layout.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace queue {

struct Frame {
  std::string_view type{};
  std::string_view payload{};
  std::size_t size = 0;  // of the whole record
};

enum class Reading : std::uint8_t {
  whole,
  cut,  // not all of it is there, or its place holds zeros: never finished
  damaged,
};

constexpr std::size_t frame_head_bytes = 16;
std::string frame_head(std::string_view type, std::uint64_t length);
std::string frame_tail(std::uint32_t crc);
std::string frame(std::string_view type, std::string_view payload);
Reading read_frame(std::string_view bytes, Frame& frame);
// Of its first 16 bytes alone.
Reading read_frame_head(std::string_view bytes, std::string_view& type, std::uint64_t& length);

}  // namespace queue
