// The bytes of a log file, unpacked where it is packed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace aifd::convert {

enum class Packing { none, gzip, zstd };

// Used by one thread. Needs little memory: at most what the packing's window takes (zstd: 8 MiB as
// it is mostly used, 128 MiB where its owner asked for that).
class LogSource {
 public:
  // Reads the descriptor from where it stands; it outlives the source.
  static std::unique_ptr<LogSource> open(int descriptor, Packing packing);

  LogSource() = default;
  LogSource(const LogSource&) = delete;
  LogSource& operator=(const LogSource&) = delete;
  virtual ~LogSource() = default;

  // Fills `into`, which is not empty, from its beginning and gives how many bytes that are; 0 at
  // the end, and where no more can be read: failure() and damage() tell.
  virtual std::size_t read(std::span<char> into) = 0;

  std::uint64_t bytes_read() const noexcept { return bytes_read_; }  // of the file itself
  int failure() const noexcept { return failure_; }                  // an errno; 0: none
  const std::string& damage() const noexcept { return damage_; }     // of the packing; empty: none

 protected:
  std::size_t read_file(int descriptor, std::span<char> into);
  std::size_t damaged(std::string what);  // gives 0

 private:
  std::uint64_t bytes_read_ = 0;
  int failure_ = 0;
  std::string damage_;
};

}  // namespace aifd::convert
