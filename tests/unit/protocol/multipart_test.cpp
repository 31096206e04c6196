#include "aifd/protocol/multipart.hpp"

#include <gtest/gtest.h>

#include <string>

namespace aifd::protocol {
namespace {

TEST(FormBoundary, IsTakenFromTheContentType) {
  struct Case {
    const char* content_type;
    std::optional<std::string_view> boundary;
  };
  const Case cases[] = {
      {"multipart/form-data; boundary=X", "X"},
      {"Multipart/Form-Data;BOUNDARY=----WebKit0", "----WebKit0"},
      {"multipart/form-data ; charset=utf-8 ; boundary=\"a b/c=\" ", "a b/c="},
      {"", {}},
      {"multipart/form-data", {}},
      {"multipart/form-data;", {}},
      {"multipart/form-data; boundary=", {}},
      {"multipart/form-data; boundary=\"\"", {}},
      {"multipart/form-data; boundary= X", {}},
      {"multipart/form-data; boundary =X", {}},
      {"multipart/form-data; boundary=X; boundary=Y", {}},
      {"multipart/form-data; boundary=X; x=y", {}},
      {"multipart/form-data; boundary=X y", {}},
      {"multipart/form-data; boundary=\"X", {}},
      {"multipart/form-data; boundary=\"X\\\"; boundary=Y\"", {}},
      {"multipart/form-data; boundary=\"X \"", {}},
      {"multipart/form-data; boundary*=X", {}},
      {"multipart/form-data; boundary=X, application/json", {}},
      {"multipart/form-data, multipart/form-data; boundary=X", {}},
      {"multipart/mixed; boundary=X", {}},
      {"application/json", {}},
  };
  for (const Case& c : cases)
    EXPECT_EQ(form_boundary(c.content_type), c.boundary) << c.content_type;
  EXPECT_TRUE(form_boundary("multipart/form-data; boundary=" + std::string(70, 'x')));
  EXPECT_FALSE(form_boundary("multipart/form-data; boundary=" + std::string(71, 'x')));
}

std::string part(const std::string& head, const std::string& content) {
  return "--X\r\n" + head + "\r\n\r\n" + content + "\r\n";
}

std::string field(const std::string& name, const std::string& content) {
  return part("Content-Disposition: form-data; name=\"" + name + "\"", content);
}

const std::string kModel = field("model", "whisper-1");
const std::string kFile = part(
    "Content-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\nContent-Type: audio/mpeg",
    std::string("\0\r\n--\r\n\r\n-X--Y", 14));
const std::string kEnd = "--X--\r\n";

FormField read(const std::string& body) {
  return read_form_field(body, "X", "model");
}

TEST(ReadFormField, FindsTheFieldWhereverItStands) {
  const std::string bodies[] = {
      kModel + kEnd,
      kModel + "--X--",
      kFile + kModel + kEnd,
      kModel + kFile + kEnd,
      field("language", "en") + kFile + kModel + field("prompt", "") + kEnd,
      part("content-disposition:form-data;name=model", "whisper-1") + kEnd,
      part("Content-Disposition: form-data; Name=\"model\"\r\nContent-Type: text/plain; "
           "charset=UTF-8\r\nContent-Length: 9",
           "whisper-1") +
          kEnd,
      part("Content-Type: text/plain\r\nContent-Disposition: form-data; name=\"model\"\r\n"
           "Content-Transfer-Encoding: binary",
           "whisper-1") +
          kEnd,
      part("Content-Disposition: form-data; name=\"file\"; filename=\"C:\\a.mp3\"; "
           "filename*=utf-8''a.mp3",
           "x") +
          kModel + kEnd,
  };
  for (const std::string& body : bodies) {
    const FormField found = read(body);
    EXPECT_EQ(found.value, "whisper-1") << body;
    EXPECT_EQ(found.problem, "") << body;
  }
}

TEST(ReadFormField, GivesTheContentAsItIs) {
  EXPECT_EQ(read(field("model", "") + kEnd).value, "");
  EXPECT_EQ(read(field("model", " a\r\nb ") + kEnd).value, " a\r\nb ");
}

TEST(ReadFormField, SaysWhereThereIsNone) {
  for (const std::string& body : {kFile + kEnd, field("mode", "x") + kEnd, kEnd}) {
    const FormField found = read(body);
    EXPECT_FALSE(found.value) << body;
    EXPECT_EQ(found.problem, "") << body;
  }
}

TEST(ReadFormField, RefusesWhatServersMayReadInTwoWays) {
  const std::string disposition = "Content-Disposition: form-data; name=\"model\"";
  const std::string cases[] = {
      "",
      "--X",
      "--X\r\n",
      "--Y\r\n" + kModel,
      "preamble\r\n" + kModel + kEnd,
      "\r\n" + kModel + kEnd,
      kModel,
      kModel + "--X\r\n",
      kModel + kEnd + "epilogue",
      kModel + kEnd + kModel + kEnd,
      kModel + "--X --\r\n",
      "--X \r\n" + kModel.substr(5) + kEnd,
      "--X\n" + kModel.substr(5) + kEnd,
      // twice
      kModel + kModel + kEnd,
      kModel + field("Model", "b") + kEnd,
      kModel + field("model[]", "b") + kEnd,
      kModel + field("models", "b") + kEnd,
      kModel + field("mod\\el", "b") + kEnd,
      kModel + field("mod%65l", "b") + kEnd,
      kModel + field("_charset_", "utf-16") + kEnd,
      // the boundary inside a part
      kModel + field("x", "a\n--X\nb") + kEnd,
      kModel + field("x", "--X--") + kEnd,
      kModel + field("x", "a --X b") + kEnd,
      kModel + field("x", "a\r\n--Xb") + kEnd,
      // no part's head
      "--X\r\n\r\nwhisper-1\r\n" + kEnd,
      part("X-Other: a", "b") + kModel + kEnd,
      part("Content-Disposition: form-data", "b") + kModel + kEnd,
      part("Content-Disposition: attachment; name=\"a\"", "b") + kModel + kEnd,
      part("Content-Disposition: form-data, name=\"a\"", "b") + kModel + kEnd,
      part(disposition + "; name=\"a\"", "b") + kEnd,
      part(disposition + "; name*=utf-8''a", "b") + kEnd,
      part("Content-Disposition: form-data; name*0=\"mod\"; name*1=\"el\"", "b") + kModel + kEnd,
      part(disposition + "\r\nContent-Disposition: form-data; name=\"a\"", "b") + kEnd,
      part("Content-Disposition: form-data; filename=\"a\\\"; name=\"model\"", "b") + kEnd,
      part("Content-Disposition: form-data; name=\"a\"; filename=\"b\"; filename=\"c\"", "b") +
          kModel + kEnd,
      part("Content-Disposition: form-data;\r\n name=\"model\"", "b") + kEnd,
      part("Content-Disposition: form-data; name=\"a\"\nX: y", "b") + kModel + kEnd,
      part("Content-Disposition : form-data; name=\"a\"", "b") + kModel + kEnd,
      part("nonsense", "b") + kModel + kEnd,
      part("Content-Disposition: form-data; name=\"a", "b") + kModel + kEnd,
      part("Content-Disposition: form-data; name=\"a\"\r\nContent-Length: 0", "b") + kModel + kEnd,
      part("Content-Disposition: form-data; name=\"a\"\r\nX: " + std::string(5000, 'x'), "b") +
          kModel + kEnd,
      // a model that is more than a text
      part(disposition + "; filename=\"a\"", "b") + kEnd,
      part(disposition + "\r\nContent-Transfer-Encoding: base64", "YQ==") + kEnd,
      part(disposition + "\r\nContent-Type: text/plain; charset=utf-7", "b") + kEnd,
      part(disposition + "\r\nContent-Type: text/plain; charset=utf-8; x=y", "b") + kEnd,
      part(disposition + "\r\nContent-Type: application/json", "\"b\"") + kEnd,
      part(disposition + "\r\nContent-Encoding: gzip", "b") + kEnd,
  };
  for (const std::string& body : cases) {
    const FormField found = read(body);
    EXPECT_FALSE(found.value) << body;
    EXPECT_NE(found.problem, "") << body;
  }
}

TEST(ReadFormField, RefusesEveryBeginningOfAForm) {
  const std::string body = kModel + kFile + "--X--";
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_NE(read(body.substr(0, size)).problem, "") << size;
  }
  EXPECT_EQ(read(body).value, "whisper-1");
}

TEST(ReadFormField, IsQuickWithHostileForms) {
  std::string many;
  for (int i = 0; i < 1001; ++i) many += field("a", "b");
  EXPECT_NE(read(many + kEnd).problem, "");
  const std::string dashes(4'000'000, '-');
  EXPECT_NE(read_form_field("--" + dashes, std::string(70, '-'), "model").problem, "");
  EXPECT_EQ(read(field("x", dashes) + kModel + kEnd).value, "whisper-1");
}

}  // namespace
}  // namespace aifd::protocol
