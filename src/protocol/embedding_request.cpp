#include "aifd/protocol/embedding_request.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "aifd/protocol/canonical_json.hpp"
#include "aifd/protocol/fields.hpp"
#include "canonical_scalars.hpp"
#include "chars.hpp"
#include "json_reader.hpp"

namespace aifd::protocol {
namespace {

using Kind = JsonReader::Kind;
using Token = JsonReader::Token;

constexpr std::string_view kInput = "input";
constexpr std::string_view kEncoding = "encoding_format";

std::optional<std::string> canonical_rest(std::string_view body) {
  std::array<std::string_view, kFieldsOutsideCacheKey.size() + 2> left_out{kInput, kEncoding};
  std::ranges::copy(kFieldsOutsideCacheKey, left_out.begin() + 2);
  return canonical_json(body, left_out);
}

bool is_token_number(const Token& token) {
  return token.kind == Kind::number && std::ranges::all_of(token.text, is_digit);
}

// Reads a body of which is known that it is an object without repeated names.
class RequestReader {
 public:
  explicit RequestReader(std::string_view body) : begin_(body.data()), reader_(body) {}

  bool run() {
    reader_.next();
    for (Token name = reader_.next(); name.kind == Kind::name; name = reader_.next()) {
      if (!take_member(word_of(name), reader_.next())) return false;
    }
    return !request_.inputs.empty();
  }

  EmbeddingRequest take_request() { return std::move(request_); }

 private:
  bool take_member(std::string_view name, const Token& value) {
    if (name == kInput) return take_input(value);
    if (name == kEncoding) return take_encoding(value);
    if (iequals(name, kInput) || iequals(name, kEncoding)) return false;
    return !reader_.finish_value(value).empty();
  }

  bool take_encoding(const Token& value) {
    if (value.kind != Kind::string) return false;
    const std::string word = word_of(value);
    if (word == "base64") request_.encoding = EmbeddingEncoding::base64;
    return word == "base64" || word == "float";
  }

  bool take_input(const Token& value) {
    if (value.kind == Kind::string) return add_string(value);
    if (value.kind != Kind::begin_array) return false;
    const Token first = reader_.next();
    if (is_token_number(first)) return add_tokens(value, first);
    return take_list(first);
  }

  // Of strings or of lists of numbers, by the first of them.
  bool take_list(const Token& first) {
    Token element = first;
    for (; element.kind == first.kind; element = reader_.next()) {
      const bool is_added = element.kind == Kind::begin_array ? add_tokens(element, reader_.next())
                                                              : add_string(element);
      if (!is_added) return false;
    }
    return element.kind == Kind::end_array && !request_.inputs.empty();
  }

  bool add_string(const Token& literal) {
    if (literal.kind != Kind::string) return false;
    std::string text;
    append_canonical_string(text, literal.text);
    const std::size_t size = text.size() - 2;
    return add({.text = std::move(text), .size = size}, literal, literal);
  }

  // Reads to the end of the list that `begin` opened.
  bool add_tokens(const Token& begin, const Token& first) {
    EmbeddingInput input;
    Token number = first;
    for (; is_token_number(number); number = reader_.next()) {
      input.text += input.text.empty() ? '[' : ',';
      input.text += number.text;
      ++input.size;
    }
    input.text += ']';
    return number.kind == Kind::end_array && input.size > 0 && add(std::move(input), begin, number);
  }

  bool add(EmbeddingInput input, const Token& first, const Token& last) {
    if (request_.inputs.size() == kMostEmbeddingInputs) return false;
    const char* const end = last.text.data() + last.text.size();
    input.offset = static_cast<std::size_t>(first.text.data() - begin_);
    input.length = static_cast<std::size_t>(end - first.text.data());
    request_.inputs.push_back(std::move(input));
    return true;
  }

  const char* begin_;
  JsonReader reader_;
  EmbeddingRequest request_;
};

std::size_t end_of(const EmbeddingInput& input) {
  return input.offset + input.length;
}

}  // namespace

std::optional<EmbeddingRequest> read_embedding_request(std::string_view body) {
  auto rest = canonical_rest(body);
  if (!rest) return std::nullopt;
  RequestReader reader(body);
  if (!reader.run()) return std::nullopt;
  EmbeddingRequest request = reader.take_request();
  request.rest = *std::move(rest);
  return request;
}

std::string with_inputs(std::string_view body, const EmbeddingRequest& request,
                        std::span<const std::size_t> kept) {
  std::string shorter;
  shorter.reserve(body.size());
  shorter.append(body.substr(0, request.inputs.front().offset));
  bool is_first = true;
  for (const std::size_t i : kept) {
    const EmbeddingInput& input = request.inputs[i];
    // what separates it from the one before it goes with it
    const std::size_t begin = is_first ? input.offset : end_of(request.inputs[i - 1]);
    shorter.append(body.substr(begin, end_of(input) - begin));
    is_first = false;
  }
  shorter.append(body.substr(end_of(request.inputs.back())));
  return shorter;
}

}  // namespace aifd::protocol
