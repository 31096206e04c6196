#include <gtest/gtest.h>

#include "aifd/protocol/conversation.hpp"

namespace aifd::protocol {
namespace {

const std::string kType = "multipart/form-data; boundary=XY";

std::string part(const std::string& disposition, const std::string& content,
                 const std::string& more = "") {
  return "--XY\r\nContent-Disposition: form-data; " + disposition + "\r\n" + more + "\r\n" +
         content + "\r\n";
}

const std::string kFile = part(R"(name="file"; filename="a b.mp3")", "\xFF\xD8\r\n--X\r\n\r\n",
                               "Content-Type: audio/mpeg\r\n");
const std::string kModel = part(R"(name="model")", "whisper-1");
const std::string kEnd = "--XY--\r\n";

void expect_json(const std::string& body, const std::string& json) {
  const auto found = form_as_json(kType, body);
  ASSERT_TRUE(found) << body;
  EXPECT_EQ(*found, json);
}

TEST(FormAsJson, HasTextsAndNamesOfFiles) {
  expect_json(
      kFile + kModel + part(R"(name="prompt")", "h\xC3\xA9 \"x\"\r\ny") + kEnd,
      "{\"file\":\"a b.mp3\",\"model\":\"whisper-1\",\"prompt\":\"h\xC3\xA9 \\\"x\\\"\\r\\ny\"}");
  expect_json(kModel + part("name=model", "other") + part("name=empty", "") + kEnd,
              R"({"model":"whisper-1","empty":""})");
  expect_json(kEnd, "{}");
}

TEST(FormAsJson, IsLenient) {
  expect_json("preamble\r\n" + kModel + kEnd, R"({"model":"whisper-1"})");
  expect_json(kModel + kFile, R"({"model":"whisper-1","file":"a b.mp3"})");
  expect_json(kModel + kFile.substr(0, kFile.size() - 10),
              R"({"model":"whisper-1","file":"a b.mp3"})");
  expect_json(kModel + part("name=prompt", "cut").substr(0, 60), R"({"model":"whisper-1"})");
  expect_json(part("name=file; filename*=UTF-8''h%C3%A9.wav", "x") + kEnd,
              "{\"file\":\"h\xC3\xA9.wav\"}");
  expect_json(part("name=a", "\xFF") + kModel + kEnd, R"({"model":"whisper-1"})");
  expect_json("--XY\r\n\r\nno head\r\n--XY\r\nno head\r\n" + kModel + kEnd,
              R"({"model":"whisper-1"})");
}

TEST(FormAsJson, NeverHasTheBytesOfAFile) {
  for (const char* disposition :
       {R"(name="file"; filename="a\"b.mp3")", R"(name="file"; filename = "ab.mp3")",
        R"(name="file" ; FileName = "ab.mp3")", R"(name="file")", R"(name="file"; x=")",
        "name=\"file\";\r\n filename=\"a\""}) {
    expect_json(part(disposition, "BYTES") + kModel + kEnd, R"({"file":null,"model":"whisper-1"})");
  }
  for (const char* disposition :
       {R"(name="up"; filename="a\"b.mp3")", R"(name="up"; filename = "ab.mp3")",
        R"(name="up"; other=")", "name=\"up\";\r\n filename=\"a\""}) {
    expect_json(part(disposition, "BYTES") + kModel + kEnd, R"({"up":null,"model":"whisper-1"})");
  }
  expect_json(part("name=up", "BYTES", "Content-Type: audio/mpeg\r\n") + kModel + kEnd,
              R"({"up":null,"model":"whisper-1"})");
  expect_json(part("name = up", "BYTES") + kModel + kEnd, R"({"model":"whisper-1"})");
  expect_json(part("name=prompt", "text", "Content-Type: Text/plain; charset=utf-8\r\n") + kEnd,
              R"({"prompt":"text"})");
}

TEST(FormAsJson, OnlyOfAForm) {
  EXPECT_FALSE(form_as_json("application/json", kModel + kEnd));
  EXPECT_FALSE(form_as_json("multipart/form-data", kModel + kEnd));
  EXPECT_FALSE(form_as_json(kType, ""));
  EXPECT_FALSE(form_as_json(kType, "{\"model\":\"m\"}"));
}

TEST(FormAsJson, IsBounded) {
  std::string many;
  for (int i = 0; i < 5000; ++i) many += part("name=f" + std::to_string(i), "x");
  EXPECT_LT(form_as_json(kType, many + kEnd)->size(), 15000);
  const std::string nearly = kModel + std::string(1'000'000, '\r') + "\n--X";
  EXPECT_TRUE(form_as_json(kType, nearly));
  std::string delimiters;
  for (int i = 0; i < 100'000; ++i) delimiters += "\r\n--XY\r\n";
  EXPECT_TRUE(form_as_json(kType, kModel + delimiters));
}

}  // namespace
}  // namespace aifd::protocol
