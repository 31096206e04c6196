#include "aifd/net/block_pool.hpp"

#include <gtest/gtest.h>

namespace aifd::net {
namespace {

TEST(BlockPool, GivesTheBlockAgainThatCameBackLast) {
  BlockPool pool;
  BlockPool::Block first = pool.take();
  BlockPool::Block second = pool.take();
  const char* const warm = second.get();
  EXPECT_NE(first.get(), warm);
  pool.give_back(std::move(first));
  pool.give_back(std::move(second));
  EXPECT_EQ(pool.take().get(), warm);
}

TEST(BlockPool, TakesNothingBackForABlock) {
  BlockPool pool;
  pool.give_back(nullptr);
  EXPECT_NE(pool.take(), nullptr);
}

}  // namespace
}  // namespace aifd::net
