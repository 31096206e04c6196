// Records that wait on disk for their other half.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "descriptor.hpp"

namespace aifd::convert {

// A nameless file that goes with its owner. It is made with the first record, and never larger than
// `most_bytes`: then the newest records take the place of the oldest.
class RecordStore {
 public:
  static constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

  struct Place {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };

  // In a folder that has room.
  explicit RecordStore(std::filesystem::path folder, std::uint64_t most_bytes = kMostBytes)
      : folder_(std::move(folder)), most_bytes_(most_bytes) {}

  // `text` is shorter than most_bytes.
  Place add(std::string_view text);

  // nullopt where it is gone.
  std::optional<std::string> read(const Place& place);

  int failure() const noexcept { return failure_; }  // an errno, of the first that failed; 0: none

 private:
  bool open();

  std::filesystem::path folder_;
  std::uint64_t most_bytes_;
  Descriptor file_;
  std::uint64_t end_ =
      0;  // of all that was added; its place in the file is the rest by most_bytes_
  int failure_ = 0;
};

}  // namespace aifd::convert
