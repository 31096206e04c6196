#include "aifd/protocol/cache_control.hpp"

#include <gtest/gtest.h>

namespace aifd::protocol {
namespace {

CacheControl read(std::string_view value) {
  Fields fields;
  fields.add("cache-control", value);
  return read_cache_control(fields);
}

TEST(CacheControl, IsEmptyWithoutTheField) {
  const CacheControl control = read_cache_control({});
  EXPECT_FALSE(control.no_store || control.no_cache || control.is_private ||
               control.only_if_cached);
  EXPECT_FALSE(control.max_age || control.s_maxage);
}

TEST(CacheControl, ReadsDirectivesInAnyCaseAndOrder) {
  const CacheControl control = read("Private , NO-STORE,foo=\"bar\", max-age=60,only-if-cached");
  EXPECT_TRUE(control.is_private);
  EXPECT_TRUE(control.no_store);
  EXPECT_TRUE(control.only_if_cached);
  EXPECT_FALSE(control.no_cache);
  EXPECT_EQ(control.max_age, 60U);
}

TEST(CacheControl, ReadsTimes) {
  EXPECT_EQ(read("s-maxage=0").s_maxage, 0U);
  EXPECT_EQ(read("max-age=\"7\"").max_age, 7U);
  EXPECT_EQ(read("max-age=99999999999999999999999").max_age, 1U << 31);
  EXPECT_EQ(read("max-age=5000000000").max_age, 1U << 31);
  EXPECT_EQ(read("max-age").max_age, 0U);
  EXPECT_EQ(read("max-age=").max_age, 0U);
  EXPECT_EQ(read("max-age=-1").max_age, 0U);
  EXPECT_EQ(read("max-age=1s").max_age, 0U);
  EXPECT_EQ(read("max-age=9, max-age=8").max_age, 8U);
}

TEST(CacheControl, TakesAListOfFieldsForAll) {
  EXPECT_TRUE(read("no-cache=\"Set-Cookie\"").no_cache);
}

TEST(CacheControl, TakesSeveralFieldsTogether) {
  Fields fields;
  fields.add("Cache-Control", "no-cache");
  fields.add("cache-control", "no-store");
  const CacheControl control = read_cache_control(fields);
  EXPECT_TRUE(control.no_cache && control.no_store);
}

TEST(CacheControl, TakesPragmaOfARequestWithoutCacheControl) {
  Fields fields;
  fields.add("Pragma", "no-cache");
  EXPECT_TRUE(read_request_cache_control(fields).no_cache);
  EXPECT_FALSE(read_cache_control(fields).no_cache);
  fields.add("Cache-Control", "max-age=5");
  EXPECT_FALSE(read_request_cache_control(fields).no_cache);
}

}  // namespace
}  // namespace aifd::protocol
