#include "aifd/protocol/fields.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace aifd::protocol {
namespace {

using Strings = std::vector<std::string>;

Strings tokens_of(std::string_view list) {
  Strings tokens;
  for_each_token(list, [&](std::string_view token) { tokens.emplace_back(token); });
  return tokens;
}

Strings lines_of(const Fields& fields) {
  Strings lines;
  for (const Field& f : fields) lines.push_back(std::string(f.name) + ": " + std::string(f.value));
  return lines;
}

Fields sample() {
  Fields fields;
  fields.add("Host", "a");
  fields.add("Accept", "x");
  fields.add("ACCEPT", "y");
  fields.add("Connection", "close, TE");
  fields.add("accept", "z");
  return fields;
}

TEST(Iequals, FoldsAsciiLettersOnly) {
  EXPECT_TRUE(iequals("", ""));
  EXPECT_TRUE(iequals("Content-Length", "cONTENT-lENGTH"));
  EXPECT_FALSE(iequals("Host", "Hos"));
  EXPECT_FALSE(iequals("@", "`"));
  EXPECT_FALSE(iequals("[", "{"));
  EXPECT_FALSE(iequals("\xC4", "\xE4"));
  EXPECT_FALSE(iequals(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

TEST(Fields, FindGivesTheFirstInAnyCase) {
  const Fields fields = sample();
  ASSERT_NE(fields.find("accept"), nullptr);
  EXPECT_EQ(fields.find("accept")->value, "x");
  EXPECT_EQ(fields.get("HOST"), "a");
  EXPECT_EQ(fields.get("Hosts"), "");
  EXPECT_EQ(fields.find(""), nullptr);
  EXPECT_EQ(fields.count("Accept"), 3U);
  EXPECT_EQ(fields.count("Absent"), 0U);
  EXPECT_TRUE(fields.contains("connection"));
}

TEST(Fields, SetReplacesInPlaceAndDropsTheOthers) {
  Fields fields = sample();
  fields.set("accept", "new");
  EXPECT_EQ(lines_of(fields), (Strings{"Host: a", "Accept: new", "Connection: close, TE"}));
}

TEST(Fields, SetAppendsWhatIsNotThere) {
  Fields fields;
  fields.set("A", "1");
  fields.set("B", "2");
  EXPECT_EQ(lines_of(fields), (Strings{"A: 1", "B: 2"}));
}

TEST(Fields, RemoveDropsAllOfThatName) {
  Fields fields = sample();
  fields.remove("Accept");
  fields.remove("Absent");
  EXPECT_EQ(lines_of(fields), (Strings{"Host: a", "Connection: close, TE"}));
}

TEST(ForEachToken, TrimsAndSkipsEmptyElements) {
  EXPECT_EQ(tokens_of(""), Strings{});
  EXPECT_EQ(tokens_of(" , ,\t,"), Strings{});
  EXPECT_EQ(tokens_of("close"), Strings{"close"});
  EXPECT_EQ(tokens_of(" a ,\tb\t,,c d"), (Strings{"a", "b", "c d"}));
}

TEST(HasToken, LooksIntoEveryFieldOfTheName) {
  Fields fields = sample();
  fields.add("connection", "Upgrade");
  EXPECT_TRUE(has_token(fields, "Connection", "te"));
  EXPECT_TRUE(has_token(fields, "connection", "UPGRADE"));
  EXPECT_FALSE(has_token(fields, "Connection", "clos"));
  EXPECT_FALSE(has_token(fields, "Connection", "close, TE"));
  EXPECT_FALSE(has_token(fields, "Absent", "te"));
}

// Whether a name is known to aifd or not.
TEST(Fields, FindsWhatWasAddedSetOrRemovedLast) {
  for (const std::string_view name : {"Content-Type", "X-Mine"}) {
    Fields fields;
    EXPECT_FALSE(fields.contains(name));
    fields.remove(name);
    fields.set(name, "one");
    EXPECT_EQ(fields.get(name), "one");
    fields.add("x-other", "2");
    fields.set(name, "two");
    EXPECT_EQ(fields.get(name), "two");
    EXPECT_EQ(fields.count(name), 1U);
    fields.remove(name);
    EXPECT_FALSE(fields.contains(name));
    fields.add(name, "three");
    EXPECT_EQ(fields.get(name), "three");
    fields.clear();
    EXPECT_EQ(fields.get(name), "");
    EXPECT_EQ(fields.get("x-other"), "");
  }
}

}  // namespace
}  // namespace aifd::protocol
