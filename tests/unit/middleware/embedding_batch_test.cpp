#include "embedding_batch.hpp"

#include <gtest/gtest.h>

#include "aifd/protocol/embedding_answer.hpp"
#include "aifd/services/memory_store.hpp"
#include "middleware/embedding_samples.hpp"

namespace aifd::middleware {
namespace {

using namespace std::chrono_literals;
using services::CacheEntry;
using services::CacheEntryPtr;
using Inputs = EmbeddingBatch::Inputs;

constexpr services::CacheKey kCommon{1, 2, 3};
constexpr std::size_t kMost = 1 << 20;

EmbeddingBatch batch_of(const Json& input, const services::CacheKey& common = kCommon) {
  return {protocol::read_embedding_request(embedding_request(input)).value(), common};
}

CacheEntryPtr stored(const std::string& input, std::int64_t stored_at = 100,
                     const std::string& model = "m") {
  auto entry = std::make_shared<CacheEntry>();
  entry->body =
      protocol::split_embedding_answer(embedding_answer({input}, model), Inputs{1}).value()[0];
  entry->stored_at = stored_at;
  return entry;
}

TEST(EmbeddingBatch, HasOnePartForEqualInputs) {
  const EmbeddingBatch batch = batch_of({"a", "b", "a", "a", "c"});
  ASSERT_EQ(batch.parts().size(), 3U);
  EXPECT_EQ(batch.parts()[0].times, 3U);
  EXPECT_EQ(batch.missing(), (Inputs{0, 1, 4}));
  EXPECT_EQ(batch.all(), (Inputs{0, 1, 2, 3, 4}));
  EXPECT_FALSE(batch.is_all(batch.missing()));
  EXPECT_TRUE(batch.is_all(batch.all()));
}

TEST(EmbeddingBatch, KeysAreOfTheInputAndWhatIsInCommon) {
  const auto key = [](const Json& input, std::size_t part, const services::CacheKey& common) {
    return batch_of(input, common).parts()[part].key;
  };
  EXPECT_EQ(key({"a", "b"}, 1, kCommon), key("b", 0, kCommon));
  EXPECT_NE(key({"a", "b"}, 0, kCommon), key("b", 0, kCommon));
  EXPECT_NE(key("a", 0, kCommon), key("a", 0, {1, 2, 4}));
  EXPECT_NE(key("[1]", 0, kCommon), key(Json{1}, 0, kCommon));
  EXPECT_NE(key("a", 0, kCommon), kCommon);
}

TEST(EmbeddingBatch, IsCompleteOnceEachPartIsThere) {
  EmbeddingBatch batch = batch_of({"a", "bb", "a"});
  batch.put(1, stored("bb", 50));
  EXPECT_FALSE(batch.complete());
  EXPECT_EQ(batch.missing(), (Inputs{0}));
  batch.put(0, stored("a", 70));
  EXPECT_TRUE(batch.complete());
  EXPECT_EQ(batch.stored_at(), 50);
  const Json answer = Json::parse(batch.join(kMost).value());
  ASSERT_EQ(answer["data"].size(), 3U);
  EXPECT_EQ(answer["data"][0]["embedding"], answer["data"][2]["embedding"]);
  EXPECT_EQ(answer["data"][1]["embedding"][0], 2);
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 6);
  EXPECT_EQ(batch.join(20), std::nullopt);
  batch.forget();
  EXPECT_EQ(batch.missing(), (Inputs{0, 1}));
  EXPECT_EQ(batch.item_bytes(), 0U);
}

TEST(EmbeddingBatch, CountsItemsAsOftenAsTheyAreInTheAnswer) {
  EmbeddingBatch batch = batch_of({"a", "b", "a"});
  const CacheEntryPtr entry = stored("a");
  batch.put(0, entry);
  EXPECT_EQ(batch.item_bytes(), 2 * entry->body.size());
  batch.put(0, entry);
  EXPECT_EQ(batch.item_bytes(), 2 * entry->body.size());
}

TEST(EmbeddingBatch, WhatIsNoStoredItemIsMissing) {
  EmbeddingBatch batch = batch_of("a");
  auto entry = std::make_shared<CacheEntry>();
  entry->body = embedding_answer({"a"});
  batch.put(0, entry);
  EXPECT_FALSE(batch.complete());
}

TEST(EmbeddingBatch, ItemsOfTwoModelsAreNotJoined) {
  EmbeddingBatch batch = batch_of({"a", "b"});
  batch.put(0, stored("a", 1, "m-1"));
  batch.put(1, stored("b", 1, "m-2"));
  EXPECT_TRUE(batch.complete());
  EXPECT_EQ(batch.join(kMost), std::nullopt);
}

TEST(EmbeddingBatch, AsksForSomeAndTakesTheirAnswer) {
  const std::string body = embedding_request({"a", "bb", "a", "ccc"});
  EmbeddingBatch batch = batch_of({"a", "bb", "a", "ccc"});
  batch.put(1, stored("bb"));
  const Inputs missing = batch.missing();
  EXPECT_EQ(Json::parse(batch.body_with(body, missing))["input"], Json({"a", "ccc"}));
  EXPECT_FALSE(batch.take(embedding_answer({"a"}), missing, 1000, 60s));
  EXPECT_EQ(batch.missing(), missing);
  ASSERT_TRUE(batch.take(embedding_answer({"a", "ccc"}), missing, 1000, 60s));
  EXPECT_TRUE(batch.complete());
  services::MemoryStore store({});
  batch.keep(missing, store);
  EXPECT_EQ(*store.stat().entries, 2U);  // not what was there before
  const CacheEntryPtr kept = *store.try_get(batch_of("ccc").parts()[0].key);
  EXPECT_FALSE(kept);  // expired long ago
  EXPECT_EQ(batch.parts()[2].entry->stored_at, 1000);
  EXPECT_EQ(batch.parts()[2].entry->expires_at, 1060);
  EXPECT_TRUE(batch.parts()[2].entry->fields.empty());
}

TEST(EmbeddingBatch, KeepsForEverWhereNoTimeIsSet) {
  EmbeddingBatch batch = batch_of({"a", "a"});
  ASSERT_TRUE(batch.take(embedding_answer({"a", "a"}), batch.all(), 1000, 0s));
  services::MemoryStore store({});
  batch.keep(batch.all(), store);
  EXPECT_EQ(store.stat().stored, 1U);
  EXPECT_TRUE(*store.try_get(batch_of("a").parts()[0].key));
}

}  // namespace
}  // namespace aifd::middleware
