// Large buffers that are needed for a moment, kept warm between their uses.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace aifd::net {

// One a worker, on its thread. A block belongs to whoever took it until it is given back; a few are
// kept for the next who ask.
class BlockPool {
 public:
  static constexpr std::size_t kBlockBytes = 128 * 1024;
  using Block = std::unique_ptr<char[]>;  // of kBlockBytes, with whatever it held last

  Block take();
  void give_back(Block block);

 private:
  std::vector<Block> idle_;
};

}  // namespace aifd::net
