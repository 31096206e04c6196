#include "aifd/protocol/credentials.hpp"

#include <gtest/gtest.h>

#include <string>

#include "plain_head.hpp"

namespace aifd::protocol {
namespace {

using Place = CredentialPlace;

RequestHead head_of(std::string_view fields) {
  RequestHead head;
  read_fields(fields, head.fields);
  return head;
}

std::vector<std::string> secrets_of(std::string_view fields, std::string_view query = "") {
  std::vector<Secret> secrets;
  add_secrets(secrets, head_of(fields), query);
  std::vector<std::string> texts;
  for (const Secret& secret : secrets) texts.emplace_back(secret.reveal());
  return texts;
}

TEST(SecretsIn, AreAllThatALogMustNotRepeat) {
  using List = std::vector<std::string>;
  EXPECT_EQ(secrets_of("Accept: a/b\r\nHost: x\r\n", "a=b&keys=c&max_tokens=5"), List());
  EXPECT_EQ(secrets_of("authorization: Bearer one\r\nAuthorization: two\r\n"),
            (List{"one", "two"}));
  EXPECT_EQ(secrets_of("Authorization: Basic dXNlcjpwYXNz\r\n"), (List{"dXNlcjpwYXNz", "pass"}));
  EXPECT_EQ(secrets_of("Authorization: Digest a=1, b=2\r\n"), (List{"b=2", "Digest a=1, b=2"}));
  EXPECT_EQ(secrets_of("x-api-key: a\r\nxi-api-key: b\r\nOcp-Apim-Subscription-Key: c\r\n"),
            (List{"a", "b", "c"}));
  EXPECT_EQ(secrets_of("", "key=a%2Fb&key=c;apikey=d&x_secret=e&key=&key"),
            (List{"a%2Fb", "a/b", "c", "d", "e"}));
}

// "place:key place:key", places by their number.
std::string found_in(std::string_view fields, std::string_view query = "") {
  const RequestHead head = head_of(fields);
  const auto credentials = find_credentials(head, query);
  if (!credentials) {
    EXPECT_EQ(credentials.error().kind, ErrorKind::bad_request);
    EXPECT_EQ(credentials.error().source, ErrorSource::client);
    EXPECT_EQ(credentials.error().detail.find("SECRET"), std::string::npos);
    return "refused";
  }
  std::string text;
  for (const Credential& c : *credentials) {
    if (!text.empty()) text += ' ';
    text += std::to_string(static_cast<int>(c.place)) + ':' + std::string(c.key);
  }
  return text;
}

TEST(FindCredentials, LooksIntoEveryPlace) {
  const struct {
    std::string_view fields;
    std::string_view query;
    std::string found;
  } cases[] = {
      {"Host: a\r\n", "", ""},
      {"Authorization: Bearer sk-1\r\n", "", "0:sk-1"},
      {"authorization: bEARER  \tsk-1\r\n", "", "0:sk-1"},
      {"Authorization: Bearer\tsk-1\r\n", "", "0:sk-1"},
      {"Authorization: Bearer a b\r\n", "", "0:a b"},
      {"Authorization: Bearer\r\n", "", ""},
      {"Authorization: Bearersk-1\r\n", "", ""},
      {"Authorization: sk-1\r\n", "", ""},
      {"Authorization: Basic dTpw\r\n", "", ""},
      {"Authorization:\r\n", "", ""},
      {"X-Api-Key: k\r\n", "", "1:k"},
      {"x-api-key:\r\n", "", ""},
      {"api-key: k\r\n", "", "2:k"},
      {"x-goog-api-key: k\r\n", "", "3:k"},
      {"", "key=k", "4:k"},
      {"", "alt=sse&key=k&x", "4:k"},
      {"", "k%65y=k", "4:k"},
      {"", "%6b%65%79=k", "4:k"},
      {"", "key=a%20b", "4:a%20b"},
      {"", "key=", ""},
      {"", "key", ""},
      {"", "KEY=k&xkey=k&keys=k&%4bey=k", ""},
      {"Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.k, openai-beta.realtime-v1\r\n",
       "", "5:k"},
      {"Sec-WebSocket-Protocol: realtime\r\nsec-websocket-protocol: openai-insecure-api-key.k\r\n",
       "", "5:k"},
      {"Sec-WebSocket-Protocol: openai-insecure-api-key.\r\n", "", ""},
      {"Sec-WebSocket-Protocol: realtime\r\n", "", ""},
      {"x-api-key: b\r\nAuthorization: Bearer a\r\napi-key: c\r\n", "key=d", "0:a 1:b 2:c 4:d"},
  };
  for (const auto& c : cases) {
    const std::string fields = std::string(c.fields) + "\r\n";
    EXPECT_EQ(found_in(fields, c.query), c.found) << c.fields << c.query;
  }
}

TEST(FindCredentials, RefusesWhatIsRepeated) {
  const struct {
    std::string_view fields;
    std::string_view query;
  } cases[] = {
      {"Authorization: Bearer SECRET\r\nauthorization: Bearer SECRET\r\n", ""},
      {"Authorization: Basic SECRET\r\nAuthorization: Bearer SECRET\r\n", ""},
      {"Authorization:\r\nAuthorization: Bearer SECRET\r\n", ""},
      {"x-api-key: SECRET\r\nX-API-KEY: SECRET2\r\n", ""},
      {"api-key: SECRET\r\napi-key:\r\n", ""},
      {"x-goog-api-key: SECRET\r\nx-goog-api-key: SECRET\r\n", ""},
      {"", "key=SECRET&key=SECRET"},
      {"", "key=&key=SECRET"},
      {"", "key=SECRET&%6bey=SECRET"},
      {"Sec-WebSocket-Protocol: openai-insecure-api-key.SECRET,openai-insecure-api-key.SECRET\r\n",
       ""},
      {"Sec-WebSocket-Protocol: openai-insecure-api-key.SECRET\r\n"
       "Sec-WebSocket-Protocol: OpenAI-Insecure-API-Key.SECRET\r\n",
       ""},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(found_in(std::string(c.fields) + "\r\n", c.query), "refused") << c.fields << c.query;
  }
}

std::string replaced_in(std::string_view fields, std::string_view query, std::string_view key) {
  const RequestHead head = head_of(fields);
  const auto credentials = find_credentials(head, query);
  if (!credentials || credentials->size() != 1) return "not one";
  return with_key(head, query, (*credentials)[0], key);
}

TEST(WithKey, ChangesNothingElse) {
  EXPECT_EQ(replaced_in("A: b\r\nauthorization: bEARER  fk-0\r\n\r\n", "", "sk-1"), "bEARER  sk-1");
  EXPECT_EQ(replaced_in("x-api-key: fk-0\r\n\r\n", "", "sk-longer"), "sk-longer");
  EXPECT_EQ(replaced_in("api-key: fk-0\r\n\r\n", "", ""), "");
  EXPECT_EQ(replaced_in("X-Goog-Api-Key: fk-0\r\n\r\n", "", "k"), "k");
  EXPECT_EQ(replaced_in("\r\n", "alt=sse&key=fk-0&x=%20", "AIza_1"), "alt=sse&key=AIza_1&x=%20");
  EXPECT_EQ(replaced_in("\r\n", "k%65y=fk-0", "a&b=c/d%"), "k%65y=a%26b%3Dc%2Fd%25");
  EXPECT_EQ(replaced_in("Sec-WebSocket-Protocol: realtime,openai-insecure-api-key.fk-0 ,x\r\n\r\n",
                        "", "sk-1"),
            "realtime,openai-insecure-api-key.sk-1 ,x");
}

TEST(WithKey, JoinsAListOfSeveralFields) {
  EXPECT_EQ(replaced_in("Sec-WebSocket-Protocol: realtime\r\nX: y\r\n"
                        "sec-websocket-protocol: openai-insecure-api-key.fk-0\r\n"
                        "Sec-WebSocket-Protocol: z\r\n\r\n",
                        "", "sk-1"),
            "realtime, openai-insecure-api-key.sk-1, z");
}

TEST(FieldName, NamesThePlaces) {
  EXPECT_EQ(field_name(Place::authorization).text(), "authorization");
  EXPECT_EQ(field_name(Place::x_api_key).text(), "x-api-key");
  EXPECT_EQ(field_name(Place::api_key).text(), "api-key");
  EXPECT_EQ(field_name(Place::x_goog_api_key).text(), "x-goog-api-key");
  EXPECT_EQ(field_name(Place::query_key).text(), "");
  EXPECT_EQ(field_name(Place::websocket_protocol).text(), "sec-websocket-protocol");
}

TEST(DecodedQueryKey, TakesEscapesForTheirBytesAndLeavesTheRest) {
  EXPECT_EQ(decoded_query_key("fk-0"), "fk-0");
  EXPECT_EQ(decoded_query_key("fk%2B%2f+%3D"), "fk+/+=");
  EXPECT_EQ(decoded_query_key("100%"), "100%");
  EXPECT_EQ(decoded_query_key("%zz%4"), "%zz%4");
  EXPECT_EQ(decoded_query_key(""), "");
}

}  // namespace
}  // namespace aifd::protocol
