#include "aifd/net/block_pool.hpp"

namespace aifd::net {
namespace {

constexpr std::size_t kMostIdle = 4;

}  // namespace

BlockPool::Block BlockPool::take() {
  if (idle_.empty()) return std::make_unique_for_overwrite<char[]>(kBlockBytes);
  Block block = std::move(idle_.back());
  idle_.pop_back();
  return block;
}

void BlockPool::give_back(Block block) {
  if (block && idle_.size() < kMostIdle) idle_.push_back(std::move(block));
}

}  // namespace aifd::net
